"""Subjects -> their wrapped keys. In a statement of its own a new key is committed before anything is sealed with it."""

from collections.abc import Iterable

from harken.kit import db, sql
from harken.privacy.keys import MasterKey, wrap_many

q = sql.queries(__package__)


def keys(tx: db.Tx, master: MasterKey, subjects: Iterable[str]) -> dict[str, bytes]:
    """Every subject's wrapped key; new where there was none."""
    wanted = sorted(set(subjects))
    known = _known(tx, wanted)
    missing = [subject for subject in wanted if subject not in known]
    if missing:
        wrapped = [blob for _, blob in wrap_many(master, missing)]
        tx.execute(q.add_keys, {"subjects": missing, "wrapped": wrapped})
        known |= _known(tx, missing)
    return known


def _known(tx: db.Tx, subjects: list[str]) -> dict[str, bytes]:
    return {row["subject"]: row["wrapped"] for row in db.rows(tx, q.keys, subjects=subjects)}
