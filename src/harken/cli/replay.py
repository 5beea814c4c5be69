"""`harken replay`: recorded answers, made again."""

import click

from harken.cli import options, printing


@click.command("replay", short_help="Make recorded answers again and compare.")
@click.argument("records", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help="Every record there is.")
@options.store
@options.as_json
def command(records: tuple[str, ...], all_: bool, store: str | None, json_: bool) -> None:
    """Run the code as it is now on what was recorded, and name the first field in which an answer differs."""
    import asyncio  # noqa: PLC0415  --help needs none of it

    from harken.errors import UnsuitableError  # noqa: PLC0415  as above
    from harken.flow import replaying  # noqa: PLC0415  as above
    from harken.flow.recording import RecordId  # noqa: PLC0415  as above

    if bool(records) == all_:
        raise click.UsageError("Give the ids of records, or --all.")
    with options.desk(store) as desk, printing.progress(json_) as progress:
        if desk.open_replay is None:
            raise UnsuitableError("Answers are recorded in PostgreSQL only.")
        asked = None if all_ else [RecordId(each) for each in records]
        tally = asyncio.run(replaying.replay_all(asked, desk.open_replay(), progress))
    if json_:
        printing.as_json(tally)
    else:
        click.echo(f"{tally.replayed:,} replayed, {tally.match:,} the same")
        for each in tally.mismatch:
            click.echo(f"  {each['id']} differs in {each['field']}")
        for each in tally.incomplete:
            click.echo(f"  {each['id']} cannot be made again: {each['reason']}")
    if tally.mismatch:
        raise SystemExit(1)
