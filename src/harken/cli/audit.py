"""`harken audit`: seal, verify, prove and take out what was done."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing
from harken.cli.audit_why import why

if TYPE_CHECKING:
    from harken.flow.audit_desk import AuditDesk
    from harken.flow.desk import Desk


@click.group("audit", short_help="Verify, prove and export what was done.")
def command() -> None:
    """What was done is sealed so that nobody can change it unseen, not even whoever owns the database."""


command.add_command(why)


@command.command("seal")
@options.store
@options.as_json
def seal(store: str | None, json_: bool) -> None:
    """Seal what is not sealed yet, and send the signed heads on. Workers do this every other second."""
    from harken.flow import pinning, sealing  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        sealed = sealing.seal_all(_audit(desk))
        published = pinning.publish(_audit(desk))
    if published.why:
        click.echo(f"harken: {published.why}", err=True)
    if json_:
        return printing.as_json({"events": sealed.events, "tree_size": sealed.tree_size})
    return click.echo(f"{sealed.events:,} events sealed, {sealed.tree_size:,} in all")


@command.command("verify")
@click.option("--pinned", metavar="FILE|URL", help="Signed heads kept elsewhere. Default: HARKEN_HOME/audit/pins.")
@options.store
@options.as_json
def verify(pinned: str | None, store: str | None, json_: bool) -> None:
    """Work out the whole tree anew from the events, and compare everything."""
    from harken.flow import auditing  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        found = auditing.verify(_audit(desk), pinned)
    if json_:
        printing.as_json(found)
    else:
        click.echo(f"{found.events:,} events, {found.sealed:,} sealed; root {found.root or '(none)'}")
        click.echo("whole" if found.ok else "".join(f"problem: {each}\n" for each in found.problems).rstrip())
    if not found.ok:
        raise SystemExit(1)


@command.command("prove")
@click.argument("event", type=click.IntRange(min=1), required=False)
@click.option("--consistency", nargs=2, type=click.IntRange(min=1), help="Two sizes of signed heads.")
@options.store
def prove(event: int | None, consistency: tuple[int, int] | None, store: str | None) -> None:
    """Print, as JSON, that EVENT is under the newest signed head; or that one head only added to another."""
    from harken.flow import auditing  # noqa: PLC0415  --help needs none of it

    if (event is None) == (consistency is None):
        raise click.UsageError("Give the number of an event, or --consistency with two sizes.")
    with options.desk(store) as desk:
        audit = _audit(desk)
        proof = auditing.prove_consistency(*consistency, audit) if consistency else auditing.prove(event or 0, audit)
    printing.as_json(proof)
    if not proof["ok"]:
        raise SystemExit(1)


@command.command("export")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="audit_export", help="A folder.")
@options.store
@options.as_json
def export(out: Path, store: str | None, json_: bool) -> None:
    """Write all sealed events, the signed heads, the public key, and a program that checks them without Harken."""
    from harken.flow import auditing  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        made = auditing.export(_audit(desk), out)
    if json_:
        return printing.as_json(made)
    click.echo(f"{made.events:,} events and {made.checkpoints:,} signed heads in {made.out}")
    return click.echo(f"To check them anywhere: python3 {made.out}/{auditing.VERIFIER} {made.out} --pinned FILE")


@command.command("key")
@options.store
def key(store: str | None) -> None:
    """Print the public key: give it to whoever is to check the audit."""
    with options.desk(store) as desk:
        click.echo(_audit(desk).signer.public.text)


@command.command("restored")
@options.store
@options.as_json
def restored(store: str | None, json_: bool) -> None:
    """After an older backup was put back: begin sealing again from there. The audit says so for ever."""
    from harken.flow import sealing  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        aside = sealing.restored(_audit(desk), f"person:{desk.who}")
    if json_:
        return printing.as_json({"pins": str(aside) if aside else None})
    return click.echo(f"The earlier pins are in {aside}; keep them." if aside else "There were no earlier pins.")


def _audit(desk: "Desk") -> "AuditDesk":
    from harken.errors import UnsuitableError  # noqa: PLC0415  --help needs none of it

    if desk.open_audit is None:
        raise UnsuitableError("The audit is kept in PostgreSQL only: ClickHouse has no transaction that could hold it.")
    return desk.open_audit()
