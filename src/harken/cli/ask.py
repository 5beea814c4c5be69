"""`harken ask`: one question of a customer, answered as a ticket would be, and recorded."""

from typing import TYPE_CHECKING, Any

import click

from harken.cli import options, printing
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.flow.ending import Answered


@click.command("ask", short_help="Ask as a customer, and see the answer with everything behind it.")
@click.argument("text")
@click.option("--customer", required=True, metavar="ID", help="Who asks: a short name or a full identity.")
@options.store
@options.as_json
def command(text: str, customer: str, store: str | None, json_: bool) -> None:
    """Open a ticket with this question, answer it now, and say why it was answered so."""
    import asyncio  # noqa: PLC0415  --help needs none of it

    from harken.flow import asking  # noqa: PLC0415  as above

    with options.desk(store) as desk:
        if desk.agent is None:
            raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
        answered = asyncio.run(asking.ask(text, customer, desk.agent))
    if json_:
        printing.as_json(told(answered))
    else:
        show(answered)


def told(answered: "Answered") -> dict[str, Any]:
    """The names are those of `harken ask --json`."""
    thought = answered.thought
    decision, draft, verdict = thought.advice.decision, thought.advice.draft, thought.verdict
    return {
        "ticket": thought.gathered.ticket.number,
        "decision": {"action": decision.action, "rule": decision.rule, "because": decision.because},
        "verdict": {
            "outcome": verdict.outcome,
            "reasons": list(verdict.reasons),
            "findings": [{"check": each.check, "detail": each.detail} for each in verdict.findings],
        },
        "ending": answered.conclusion.ending,
        "reply": answered.message,
        "citations": [
            {"passage_id": passage.id, "title": passage.source}
            for place in draft.citations
            for passage in [thought.gathered.context.passages[place]]
        ],
        "confidence": verdict.confidence,
        "mode": draft.mode,
        "actions": [{"action": each.action, "state": each.state, "reason": each.reason} for each in answered.actions],
        "record_id": answered.record,
    }


def show(answered: "Answered") -> None:
    whole = told(answered)
    verdict, decision = whole["verdict"], whole["decision"]
    click.echo(f"Ticket {whole['ticket']}: {str(whole['ending']).replace('_', ' ')}")
    click.echo(f"  told       {whole['reply'] or '(nothing)'}")
    click.echo(f"  decided    {decision['because']}")
    why = f", because {', '.join(verdict['reasons'])}" if verdict["reasons"] else ""
    click.echo(f"  verdict    {verdict['outcome']}{why}; confidence {whole['confidence']:.2f}; words: {whole['mode']}")
    for finding in verdict["findings"]:
        click.echo(f"             {finding['check']}: {finding['detail']}")
    for cited in whole["citations"]:
        click.echo(f"  rests on   {cited['title']} ({cited['passage_id']})")
    for action in whole["actions"]:
        click.echo(f"  action     {action['action']}: {action['state']} {action['reason']}".rstrip())
    click.echo(f"  record     {whole['record_id']}  (harken replay {whole['record_id'][:12]}…)")
