"""Settings -> how the server lets people in."""

from typing import TYPE_CHECKING

from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.settings import Settings
    from harken.web.auth.access import Rules
    from harken.web.auth.minting import Mint, OwnAlgorithm
    from harken.web.auth.tokens import Issuer


def rules_of(settings: "Settings", host: str, *, loopback: bool) -> "Rules":
    """Reads the keys. Raises UnsuitableError, in one line, for an address that strangers reach and nobody guards."""
    from harken.web.auth.access import Rules  # noqa: PLC0415  --help needs no server

    issuer = _issuer(settings)
    names = frozenset(filter(None, (name.strip().lower() for name in settings.public_hosts.split(","))))
    if not loopback and issuer is None:
        raise UnsuitableError(
            f"Refusing to listen on {host}: anyone who reaches it could ask about any customer. Configure who may ask "
            "(HARKEN_AUTH_KEYS or HARKEN_AUTH_JWKS_URL; `harken token key` makes a key), or listen on 127.0.0.1."
        )
    if not loopback and not names:
        raise UnsuitableError(
            f"Refusing to listen on {host} without names: say in HARKEN_PUBLIC_HOSTS under which ones others reach it."
        )
    return Rules(
        issuer=issuer,
        local_admin=loopback and (issuer is None or settings.local_admin),
        public_hosts=names,
        per_minute=settings.requests_per_minute,
        mint=_mint(settings),
    )


def _mint(settings: "Settings") -> "Mint | None":
    """Where the keys are our own, programs can fetch tokens here."""
    from harken.web.auth.minting import Mint, can_sign  # noqa: PLC0415  as above

    path, algorithm = settings.auth_keys, settings.auth_algorithm
    if path is None or settings.auth_token_type != "at+jwt" or not can_sign(path, algorithm):
        return None
    own: OwnAlgorithm = "HS256" if algorithm == "HS256" else "EdDSA"
    return Mint(path=path, algorithm=own, issuer=settings.auth_issuer, audience=settings.auth_audience)


def _issuer(settings: "Settings") -> "Issuer | None":
    from harken.web.auth import keys  # noqa: PLC0415  as above
    from harken.web.auth.tokens import Issuer  # noqa: PLC0415  as above

    if settings.auth_keys and settings.auth_jwks_url:
        raise UnsuitableError("HARKEN_AUTH_KEYS and HARKEN_AUTH_JWKS_URL are both set: keep one.")
    if settings.auth_keys:
        read = keys.in_file(settings.auth_keys)
    elif settings.auth_jwks_url:
        read = keys.at_address(settings.auth_jwks_url)
    else:
        return None
    known = keys.Keys(read, settings.auth_algorithm)
    known.look()
    return Issuer(
        name=settings.auth_issuer,
        audience=settings.auth_audience,
        algorithm=settings.auth_algorithm,
        token_type=settings.auth_token_type,
        keys=known,
    )
