"""Blocks of cells -> the same with texts that were decoded wrongly put right, or set aside where nothing helps."""

from collections import Counter
from dataclasses import replace

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from harken.intake import encoding
from harken.intake.quality import RawBlock, Reason, Reject, Repair

SUSPECT = "[ÃÂâðï\ufffd\u0080-\u009f\u0001-\u0008\u000e-\u001f]"
"""See `encoding.repair`: looked for in a whole column at once, so that clean text costs nothing."""


def mend(block: RawBlock) -> RawBlock:
    """Repair the `text` column. Rows that stay unreadable become rejects."""
    table = block.table
    suspect = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(table["text"], SUSPECT), False)).to_pylist()
    if not suspect:
        return block
    texts = table["text"].to_pylist()
    counts: Counter[str] = Counter(block.repaired)
    lost: dict[int, Reject] = {}
    for at in suspect:
        texts[at], said = encoding.repair(texts[at])
        if said is Repair.MOJIBAKE:
            counts[said] += 1
        elif said is Reason.MOJIBAKE_UNREPAIRABLE:
            row = table.slice(at, 1).to_pylist()[0]
            lost[at] = Reject(line=row["line"], reason=Reason.MOJIBAKE_UNREPAIRABLE, raw=orjson.dumps(row).decode())
    place = table.schema.get_field_index("text")
    table = table.set_column(place, "text", pa.array(texts, pa.string()))
    if lost:
        table = table.filter(pa.array([at not in lost for at in range(table.num_rows)]))
    return replace(block, table=table, rejects=(*block.rejects, *lost.values()), repaired=counts)
