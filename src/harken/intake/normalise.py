"""twcs rows -> events with the reason why a row is none, as one narwhals plan for any dataframe engine."""

from typing import Any, NamedTuple, TypeAlias

import narwhals as nw
import pyarrow as pa

from harken.domain.event import Channel, Kind
from harken.intake.quality import Reason, Repair
from harken.intake.times import with_moments

Frame: TypeAlias = nw.LazyFrame[Any]

EVENTS = pa.schema(
    [
        ("id", pa.string()),
        ("kind", pa.string()),
        ("identity", pa.string()),
        ("author", pa.string()),
        ("channel", pa.string()),
        ("at", pa.int64()),
        ("text", pa.string()),
        ("in_reply_to", pa.string()),
        ("addressed_to", pa.string()),
        ("attributes", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
    ]
)
"""One row per event; `at` in microseconds since 1970 UTC."""

SOURCE = "twcs"
_PREFIX = f"{Channel.TWITTER.value}:"
_BLANKS = " \t\r\n"
_ID = r"^[0-9]{1,18}$"
_CONTENT = ("kind", "identity", "author", "channel", "at", "text", "in_reply_to", "attributes")


class Checked(NamedTuple):
    """Lazy parts of what was normalised; every row is in exactly one."""

    accepted: Frame  #: the first row of each id
    duplicates: Frame | None  #: the same again, word for word; None where no id is there twice
    quarantined: Frame  #: with `reason`


def normalise(raw: Frame, *, now_us: int) -> Frame:
    """(line, seven columns as text) -> `EVENTS` but for the text, `reason` (null: fine), `repaired` (null: as it came).

    Texts are most of a file's bytes, so they stay where they lie until they are sealed: see `texts`.

    Times after `now_us`, the run's own clock, are refused.
    """
    cells = raw.select(
        "line",
        raw_text=nw.col("text").fill_null(""),
        number=_plain_id("tweet_id"),
        author=_trimmed("author_id"),
        flag=_trimmed("inbound").str.to_lowercase(),
        written=_trimmed("created_at"),
        parent=_plain_id("in_response_to_tweet_id"),
    )
    text, inbound = nw.col("raw_text"), nw.col("flag") == "true"
    cells = with_moments(cells, "written").with_columns(
        text=text,
        marked=_marked(text),
        orphaned=(nw.col("parent") != "") & ~nw.col("parent").str.contains(_ID),
        inbound=inbound,
    )
    return _events(cells.with_columns(reason=_reason(now_us), repaired=_repaired()))


def texts(raw: Frame) -> Frame:
    """(line, text) of the rows, without the sign that makes a spreadsheet show a cell as text."""
    text = nw.col("text").fill_null("")
    return raw.select("line", text=nw.when(_marked(text)).then(text.str.slice(1)).otherwise(text))


def repeated(normalised: Frame) -> Frame:
    """The ids that more than one row without a fault has."""
    fine = normalised.filter(nw.col("reason").is_null())
    return fine.group_by("id").agg(rows=nw.len()).filter(nw.col("rows") > 1).select("id")


def check(normalised: Frame, again: Frame | None, written: Frame) -> Checked:
    """Sort rows of `normalise` into accepted, duplicates and quarantined. Lines decide which of two rows was first.

    `again` are the ids of `repeated`, None where there are none; `written` is `texts`, looked at for those alone.
    """
    fine = normalised.filter(nw.col("reason").is_null()).drop("reason")
    bad = normalised.filter(~nw.col("reason").is_null())
    if again is None:
        return Checked(fine, None, bad)
    suspects = fine.join(again, on="id", how="semi").join(written, on="line", how="left")
    first, same, other = split_duplicates(suspects)
    names = fine.collect_schema().names()
    accepted = nw.concat([fine.join(again, on="id", how="anti"), first.select(*names)])
    return Checked(accepted, same.select(*names), nw.concat([bad, other.select(*bad.collect_schema().names())]))


def split_duplicates(events: Frame) -> tuple[Frame, Frame, Frame]:
    """-> the first line of each id, rows that say the same again, rows that contradict (with `reason`)."""
    repeated = events.group_by("id").agg(first_line=nw.col("line").min(), rows=nw.len()).filter(nw.col("rows") > 1)
    repeated = repeated.select(same_id="id", first_line="first_line")
    marked = events.join(repeated, left_on="id", right_on="same_id", how="left")
    names = events.collect_schema().names()
    unique = marked.filter(nw.col("first_line").is_null() | (nw.col("line") == nw.col("first_line"))).select(*names)
    later = marked.filter(nw.col("line") > nw.col("first_line"))
    originals = events.join(repeated, left_on=["id", "line"], right_on=["same_id", "first_line"], how="inner")
    content = originals.select(same_id="id", **{f"first_{name}": nw.col(name) for name in _CONTENT})
    compared = later.join(content, left_on="id", right_on="same_id", how="inner").with_columns(same=_same())
    duplicates = compared.filter(nw.col("same")).select(*names)
    conflicting = compared.filter(~nw.col("same")).select(*names, reason=nw.lit(Reason.CONFLICTING_DUPLICATE.value))
    return unique, duplicates, conflicting


def _same() -> nw.Expr:
    """Is the content equal to the first row's, null being equal to null?"""
    pairs = [(nw.col(name), nw.col(f"first_{name}")) for name in _CONTENT]
    return nw.all_horizontal(
        *[(one == other).fill_null(False) | (one.is_null() & other.is_null()) for one, other in pairs],
        ignore_nulls=False,
    )


def _marked(text: nw.Expr) -> nw.Expr:
    return text.str.starts_with("'") & text.str.contains(r"^'[=+@-]")


def _trimmed(name: str) -> nw.Expr:
    """A cell without blanks around it and without the apostrophe of a spreadsheet."""
    cell = nw.col(name).fill_null("").str.strip_chars()
    return nw.when(cell.str.starts_with("'")).then(cell.str.slice(1)).otherwise(cell)


def _plain_id(name: str) -> nw.Expr:
    """`3.0`, which is how a column with gaps is often saved, is 3."""
    cell = _trimmed(name)
    return nw.when(cell.str.ends_with(".0")).then(cell.str.replace_all(r"\.0$", "")).otherwise(cell)


def _reason(now_us: int) -> nw.Expr:
    """The first thing that is wrong with a row; null when nothing is."""
    wrong = (
        (~nw.col("number").str.contains(_ID), Reason.BAD_ID),
        (nw.col("author") == "", Reason.BAD_AUTHOR),
        (~nw.col("flag").is_in(["true", "false"]), Reason.BAD_INBOUND),
        (nw.col("at").is_null(), Reason.UNREADABLE_TIME),
        (nw.col("at") > now_us, Reason.TIME_IN_FUTURE),
        (~nw.col("text").str.contains(r"[^ \t\r\n]"), Reason.EMPTY_TEXT),
    )
    return nw.coalesce(*[nw.when(test).then(nw.lit(reason.value)) for test, reason in wrong])


def _repaired() -> nw.Expr:
    return nw.coalesce(
        nw.when(nw.col("orphaned")).then(nw.lit(Repair.BAD_PARENT.value)),
        nw.when(nw.col("marked")).then(nw.lit(Repair.APOSTROPHE.value)),
    )


def _events(cells: Frame) -> Frame:
    inbound = nw.col("inbound")
    kinds = nw.when(inbound).then(nw.lit(Kind.MESSAGE_RECEIVED.value)).otherwise(nw.lit(Kind.MESSAGE_SENT.value))
    mention = _first_mention(nw.when(inbound).then(nw.col("text")))
    return cells.select(
        id=nw.concat_str([nw.lit(_PREFIX), nw.col("number")]),
        kind=kinds,
        identity=nw.when(inbound).then(nw.concat_str([nw.lit(_PREFIX), nw.col("author")])),
        author=nw.col("author"),
        channel=nw.lit(Channel.TWITTER.value),
        at=nw.col("at"),
        in_reply_to=nw.when(nw.col("parent").str.contains(_ID)).then(
            nw.concat_str([nw.lit(_PREFIX), nw.col("parent")])
        ),
        addressed_to=mention,
        attributes=nw.lit(None, nw.String),
        source=nw.lit(SOURCE),
        line=nw.col("line"),
        reason=nw.col("reason"),
        repaired=nw.col("repaired"),
    )


def _first_mention(text: nw.Expr) -> nw.Expr:
    """The first `@name` that is not a number (those stand for customers), in lower case; null without one.

    No captures and no look-around: engines disagree on the first and lack the second.
    """
    leading = text.str.contains("^@[A-Za-z]")  # nearly every message to a brand
    cleaned = text.str.replace_all(r"[A-Za-z0-9_]@", " ").str.replace_all(r"@[0-9]*(?:[^A-Za-z0-9_]|$)", " ")
    named = nw.when(~leading & cleaned.str.contains("@")).then(cleaned.str.replace_all(r"(?s)^[^@]*@+", ""))
    name = nw.when(leading).then(text.str.slice(1)).otherwise(named).str.replace_all(r"(?s)[^A-Za-z0-9_].*$", "")
    return nw.when(name != "").then(name.str.to_lowercase())
