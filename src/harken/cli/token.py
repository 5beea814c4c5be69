"""`harken token`: keys and tokens of our own, and taking a token back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing
from harken.cli.token_client import client
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.settings import Settings

ROLES = ("customer", "agent", "lead", "compliance", "admin", "service")
KEY_FILE = "auth-keys.json"


@click.group("token", short_help="Make keys and tokens, and take a token back.")
def command() -> None:
    """For an installation without an identity provider: it is its own. The keys lie in HARKEN_AUTH_KEYS."""


command.add_command(client)


def _settings() -> "Settings":
    from harken import settings  # noqa: PLC0415  --help needs none of it

    return settings.load()


def _keys(given: "Settings") -> Path:
    if given.auth_keys is None:
        raise UnsuitableError("HARKEN_AUTH_KEYS is not set. `harken token key` makes a key and says what to set.")
    return given.auth_keys


@command.command("key", short_help="Add a key, which signs from now on, or drop one.")
@click.option("--algorithm", type=click.Choice(["EdDSA", "HS256"]), default="EdDSA", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: HARKEN_AUTH_KEYS, else in HARKEN_HOME."
)
@click.option("--drop", metavar="KID", help="Forget this key instead: its tokens are refused from then on.")
@options.as_json
def key(algorithm: str, out: Path | None, drop: str | None, json_: bool) -> None:
    """Tokens of earlier keys in the file stay good until they expire or the key is dropped. Restart the server after either."""
    from harken.web.auth import minting  # noqa: PLC0415  as above

    given = _settings()
    path = out or given.auth_keys or given.home / KEY_FILE
    if drop:
        minting.drop_key(path, drop)
        kid = drop
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        kid = minting.add_key(path, "HS256" if algorithm == "HS256" else "EdDSA")
    if json_:
        return printing.as_json({"file": str(path), "kid": kid, "dropped": bool(drop)})
    click.echo(f"{'Dropped' if drop else 'Added'} {kid} in {path}.")
    if given.auth_keys is None and not drop:
        click.echo(f"Set HARKEN_AUTH_KEYS={path} and HARKEN_AUTH_ALGORITHM={algorithm}; keep a copy of the file.")
    return None


@command.command("make", short_help="Print a token.")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, required=True)
@click.option("--subject", required=True, help="Who it is for: a name that your people know.")
@click.option(
    "--jurisdiction", "jurisdictions", metavar="XX", multiple=True, help="Where they work, such as DE or US-CA."
)
@click.option("--customer", help="Whose own things it opens; needed for the role customer.")
@click.option("--scope", "scopes", multiple=True, help="Only these of what the roles may. Default: all.")
@click.option("--minutes", type=click.IntRange(1, 60 * 24 * 365), default=60, show_default=True)
@options.as_json
def make(
    roles: tuple[str, ...], subject: str, jurisdictions: tuple[str, ...], customer: str | None,
    scopes: tuple[str, ...], minutes: int, json_: bool,
) -> None:  # fmt: skip
    """The token goes to standard output and nothing else: curl -H "Authorization: Bearer $(harken token make …)"."""
    from harken.kit.clock import wall_clock  # noqa: PLC0415  as above
    from harken.web.auth import minting  # noqa: PLC0415  as above

    if roles == ("customer",) and customer is None:
        raise UnsuitableError("A customer's token says whose it is: add --customer.")
    given = _settings()
    bearer = minting.Bearer(
        subject=subject, roles=roles, jurisdictions=jurisdictions, customer=customer, scopes=scopes or None
    )
    made, id_ = minting.token(_keys(given), bearer, given.auth_issuer, given.auth_audience, wall_clock(), minutes)
    if json_:
        return printing.as_json({"token": made, "id": id_, "minutes": minutes})
    click.echo(made)
    return None


@command.command("revoke", short_help="Refuse a token before it expires.")
@click.argument("token_id")
@options.store
def revoke(token_id: str, store: str | None) -> None:
    """TOKEN_ID is the token's `jti`, which `harken token make --json` prints. Servers of this store refuse it at once."""
    from harken.web.auth import revoking  # noqa: PLC0415  as above

    with options.desk(store) as desk:
        revoking.revoke(token_id, desk)
    click.echo("Revoked.")
