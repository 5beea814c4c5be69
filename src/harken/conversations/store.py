"""Conversations, replaced within the transaction of the turns that change them."""

from collections.abc import Sequence

import orjson

from harken.conversations.cases import Row
from harken.conversations.regroup import Made, Placed
from harken.conversations.threads import LINK_GAP_S, MICROSECONDS
from harken.domain.event import Channel
from harken.kit import db, sql

q = sql.queries(__package__)


def neighbours(tx: db.Tx, new: Sequence[Row]) -> list[Placed]:
    """The stored turns of every thread that new turns may join."""
    timed = [row for row in new if row.identity and row.channel != Channel.TWITTER]
    found = db.rows(
        tx,
        q.neighbours,
        ids=[row.id for row in new],
        parents=[row.in_reply_to for row in new if row.in_reply_to],
        identities=[row.identity for row in timed],
        channels=[row.channel for row in timed],
        ats=[row.at for row in timed],
        gap=LINK_GAP_S * MICROSECONDS,
    )
    return [placed(row) for row in found]


def placed(found: db.Row) -> Placed:
    """A row of the log; with its thread, where it is known."""
    evidence = found["evidence"]
    values = {name: found[name] for name in Row._fields if name != "evidence"}
    row = Row(**values, evidence=orjson.loads(evidence) if evidence else {})
    return Placed(row, found["position"], found.get("thread"))


def replace(tx: db.Tx, threads: Sequence[str], made: Sequence[Made]) -> None:
    """`made` is all that these threads, whose turn we have, are to hold."""
    there = {row["id"]: row for row in db.rows(tx, q.of_threads, threads=list(threads))}
    ids = {conversation.id for conversation in made}
    if gone := [id_ for id_ in there if id_ not in ids]:
        tx.execute(q.forget, {"ids": gone})
    columns = {name: [getattr(each, name) for each in made] for name in Made._fields}
    columns["positions"] = [",".join(map(str, each.positions)) for each in made]
    kept = db.rows(tx, q.keep, no=[there[id_]["no"] if id_ in there else None for id_ in columns["id"]], **columns)
    numbers = {row["id"]: row["no"] for row in kept}
    moved = [
        (position, numbers[each.id])
        for each in made
        for position in set(each.positions).difference(there[each.id]["positions"] if each.id in there else ())
    ]
    if moved:
        positions, conversations = zip(*moved, strict=True)
        tx.execute(q.keep_turns, {"positions": list(positions), "conversations": list(conversations)})
