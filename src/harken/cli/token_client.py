"""`harken token client`: programs that fetch their tokens here with a secret of their own."""

import click

from harken.cli import options, printing

ROLES = ("service", "agent", "lead", "compliance", "admin", "customer")


@click.group("client", short_help="Let programs fetch their tokens with a secret.")
def client() -> None:
    """OAuth 2.0, client credentials: POST /oauth/token. For an installation without an identity provider."""


@client.command("add", short_help="Add a program and print its secret.")
@click.argument("name")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, default=("service",), show_default=True)
@click.option("--scope", "scopes", multiple=True, help="Only these of what the roles may. Default: all.")
@click.option("--jurisdiction", "jurisdictions", metavar="XX", multiple=True, help="Such as DE or US-CA.")
@click.option("--customer", help="Whose own things its tokens open; needed for the role customer, and for no other.")
@click.option("--minutes", type=click.IntRange(1, 60), default=10, show_default=True, help="How long a token lives.")
@options.store
@options.as_json
def add(
    name: str, roles: tuple[str, ...], scopes: tuple[str, ...], jurisdictions: tuple[str, ...],
    customer: str | None, minutes: int, store: str | None, json_: bool,
) -> None:  # fmt: skip
    """The secret goes to standard output and nothing else. It is shown once: only a digest is kept."""
    from harken.web.auth import clients  # noqa: PLC0415  --help needs none of it

    new = clients.Client(
        id=name, roles=roles, scopes=scopes or None, jurisdictions=jurisdictions, customer=customer, minutes=minutes
    )
    with options.desk(store) as desk:
        secret = clients.add(new, desk)
    if json_:
        return printing.as_json({"client_id": name, "client_secret": secret, "minutes": minutes})
    click.echo(secret)
    return click.echo(f"harken: keep it now; it cannot be shown again. Its name is {name}.", err=True)


@client.command("list", short_help="Show them.")
@options.store
@options.as_json
def show(store: str | None, json_: bool) -> None:
    """Never their secrets."""
    from harken.web.auth import clients  # noqa: PLC0415  as above

    with options.desk(store) as desk:
        found = clients.listed(desk)
    if json_:
        return printing.as_json({"clients": found})
    rows = [
        {
            "name": each.id,
            "roles": " ".join(each.roles),
            "scopes": "all" if each.scopes is None else " ".join(each.scopes),
            "minutes": each.minutes,
            "added": f"{each.added_at:%Y-%m-%d}",
            "revoked": f"{each.revoked_at:%Y-%m-%d}" if each.revoked_at else "",
        }
        for each in found
    ]
    return printing.table(rows, ("name", "roles", "scopes", "minutes", "added", "revoked"))


@client.command("revoke", short_help="Give a program no token any more.")
@click.argument("name")
@options.store
def revoke(name: str, store: str | None) -> None:
    """Tokens that it has already end by themselves, within the minutes that it was added with."""
    from harken.web.auth import clients  # noqa: PLC0415  as above

    with options.desk(store) as desk:
        gone = clients.revoke(name, desk)
    click.echo(f"Revoked. A token that it has already is good for {gone.minutes} minutes at most.")
