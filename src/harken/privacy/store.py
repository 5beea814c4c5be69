"""Subjects -> their wrapped keys, and their secrets -> tokens and back.

In a statement of its own a new key is committed before anything is sealed with it.
"""

from collections.abc import Collection, Iterable

from harken.kit import db, sql
from harken.privacy import vault
from harken.privacy.keys import MasterKey, wrap_many
from harken.privacy.ring import KeyRing
from harken.privacy.tokens import Secret

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


def keep(tx: db.Tx, master: MasterKey, subject: str, secrets: Collection[Secret]) -> dict[Secret, str]:
    """Each secret's token; a secret that this subject kept before has the one it had. The librarian's alone."""
    if not secrets:
        return {}
    owner, ring = vault.Owner(subject, keys(tx, master, [subject])[subject]), KeyRing(master)
    marks = {secret: vault.fingerprint(ring, owner, secret) for secret in secrets}
    known = _tokens(tx, subject, marks.values())
    if new := [vault.row(ring, owner, secret) for secret, mark in marks.items() if mark not in known]:
        # In one order for all, so that two who keep the same wait for each other and never in a circle.
        tokens, fingerprints, key_marks, sealed = map(
            list, zip(*sorted(new, key=lambda row: row.fingerprint), strict=True)
        )
        given = {"tokens": tokens, "fingerprints": fingerprints, "key_marks": key_marks, "sealed": sealed}
        tx.execute(q.keep, {"subject": subject, **given})
        known |= _tokens(tx, subject, fingerprints)
    return {secret: known[mark] for secret, mark in marks.items()}


def _tokens(tx: db.Tx, subject: str, fingerprints: Iterable[bytes]) -> dict[bytes, str]:
    rows = db.rows(tx, q.kept, subject=subject, fingerprints=list(fingerprints))
    return {row["fingerprint"]: row["token"] for row in rows}


def opened(tx: db.Tx, master: MasterKey, tokens: Iterable[str]) -> dict[str, str]:
    """Token -> value. A token that nobody gave out, or whose subject was erased, is left out: it stays a token.

    The librarian's alone. Raises WrongKeyError where a row is not as it was written.
    """
    ring, values = KeyRing(master), {}
    for row in db.rows(tx, q.sealed_values, tokens=list(tokens)):
        owner = vault.Owner(row["subject"], row["wrapped"])
        if row["key_mark"] == vault.key_mark(ring, owner):
            values[row["token"]] = vault.value(ring, owner, row["token"], row["sealed"])
    return values
