"""`harken audit why`: what a customer was told, and why, on a page that a person can read."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from harken.cli import options, printing
from harken.kit.clock import FIRST, LAST, asked_for

if TYPE_CHECKING:
    from harken.flow.explaining import Why

_TIME = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?")


class Stretch(click.ParamType[tuple[datetime, datetime]]):
    """A day, a month or a year, UTC."""

    name = "DATE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[datetime, datetime]:
        found = _TIME.fullmatch(value)
        try:
            if found is None:
                raise ValueError
            year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
            start = asked_for(datetime(year, month, day, tzinfo=UTC))
        except ValueError:
            self.fail(f"{value} is no day (2026-03-12), month (2026-03) or year (2026).", param, ctx)
        if found["day"]:
            return start, start + timedelta(days=1)
        if found["month"]:
            return start, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return start, datetime(year + 1, 1, 1, tzinfo=UTC)


@click.command("why")
@click.argument("customer")
@click.option("--on", "on", type=Stretch(), help="A day, a month or a year: 2026-03-12, 2026-03, 2026. Default: ever.")
@options.store
@options.as_json
def why(customer: str, on: tuple[datetime, datetime] | None, store: str | None, json_: bool) -> None:
    """What CUSTOMER was told, and why: question, facts, passages, rules, verdict, proof, and whether it would be made again.

    What is printed is the customer's own: that it was asked for is recorded in the audit.
    """
    import asyncio  # noqa: PLC0415  --help needs none of it

    from harken.flow import explaining  # noqa: PLC0415  as above

    since, until = on or (FIRST, LAST)
    with options.desk(store) as desk:
        found = asyncio.run(explaining.why(customer, since, until, desk))
    if json_:
        return printing.as_json({"customer": customer, "answers": found})
    for place, each in enumerate(found, 1):
        click.echo("\n".join(_page(each, place, len(found))))
    return None


def _page(each: "Why", place: int, of: int) -> Iterator[str]:
    yield f"{place} of {of}  ticket {each.ticket_number}, {each.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"        record {each.record}"
    yield "\nThe customer wrote"
    yield _quoted(each.asked or "(it can no longer be read)")
    for told in each.told or [{"by": "nobody", "at": None, "text": "(nothing before they wrote again)"}]:
        at = f", {told['at']:%H:%M:%S}" if told["at"] else ""
        yield f"\nThey were told by {told['by']}{at}"
        yield _quoted(told["text"])
    if each.decision:
        yield from _because(each)
    yield from _proved(each)


def _because(each: "Why") -> Iterator[str]:
    decision, guard, made = each.decision, each.guard, each.made_by
    yield "\nWhy"
    yield _line("decided", f"{decision['action']}, by the rule {decision['rule']}: {decision['because']}")
    if decision["facts"]:
        yield _line(
            "facts", ", ".join(f"{name} = {_plain(value)}" for name, value in sorted(decision["facts"].items()))
        )
    if guard:
        yield from _judged(guard)
    yield _line("worded by", made["words"])
    if made["draft"] not in [told["text"] for told in each.told]:
        yield _line("not sent", made["draft"] or "(no words of its own)")
    rules = f"policy {made['policy']}" + (f", guard {made['guard']}" if made["guard"] else "")
    yield _line("rules", f"{rules}; knowledge {made['knowledge'] or '-'} read as {made['read_as'] or '-'}")
    yield _line("code", f"{made['code']}; profile as of event {made['profile_position']}")
    for set_aside in decision["set_aside"]:
        yield _line("not", f"{set_aside['action']}: {set_aside['because']} ({set_aside['rule']})")
    yield "\nPassages that were found" if each.passages else "\nNo passage was found."
    for passage in each.passages:
        used = "cited" if passage["cited"] else "not cited"
        yield f"  [{passage['place']}] {passage['source']}  ({used}, score {passage['score']:.2f}, {passage['id']})"
        if passage["cited"]:
            yield _quoted(passage["text"])


def _judged(guard: Mapping[str, Any]) -> Iterator[str]:
    because = f" because of {', '.join(guard['reasons'])}" if guard["reasons"] else ""
    sure = f"confidence {guard['confidence']:.2f} (the writer's own {guard['drafter_confidence']:.2f}, ours {guard['our_confidence']:.2f})"
    yield _line("guard", f"{guard['outcome']}{because}; {sure}, {guard['coverage']:.0%} of the question covered")
    for finding in guard["findings"]:
        rule = f" (rule {finding['rule']})" if finding["rule"] else ""
        yield _line("", f"{finding['check']}: {finding['detail']}{rule}")


def _proved(each: "Why") -> Iterator[str]:
    proof, again = each.proof, each.replay
    yield "\nProof"
    if not proof["sealed"]:
        yield _line("audit", f"event {proof['event']} is not sealed yet: harken audit seal, or wait a moment")
    else:
        held = "has not been changed since it was sealed" if proof["ok"] else "IS NOT as it was sealed"
        yield _line(
            "audit",
            f"event {proof['event']} {held}: leaf {proof['leaf_index']} of {proof['tree_size']}, root {proof['root']}",
        )
        yield _line("", f"harken audit prove {proof['event']} prints the proof; harken audit verify checks everything")
    yield _line("made again", _again(again))
    yield ""


def _again(again: Mapping[str, str]) -> str:
    match again["result"]:
        case "match":
            return "the same decision, words and verdict, by the code as it is today"
        case "mismatch":
            return f"it differs in {again['field']}: changed since, or today's code does otherwise"
        case _:
            return f"cannot be made again: {again['reason']}"


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _line(name: str, text: str) -> str:
    return f"  {name:<12}{text}"


def _quoted(text: str) -> str:
    return indent(text, "    | ", lambda line: True)
