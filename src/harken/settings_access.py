"""The settings of who may ask: whose tokens are believed, under which names we are reached, and how often one may ask."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings


class AccessSettings(BaseSettings):
    """Part of `Settings`."""

    auth_keys: Path | None = Field(default=None, validation_alias=AliasChoices("HARKEN_AUTH_KEYS"))
    """Keys that tokens are checked with: a JWK set or a PEM. `harken token key` makes one. Empty, and no URL: loopback only, no token."""

    auth_jwks_url: str = Field(
        default="", pattern=r"^(|https?://\S+)$", validation_alias=AliasChoices("HARKEN_AUTH_JWKS_URL")
    )
    """Where the identity provider lists its keys, instead of a file. A key id that is new is looked up, twice a minute at most."""

    auth_issuer: str = Field(default="harken", min_length=1, validation_alias=AliasChoices("HARKEN_AUTH_ISSUER"))
    """The `iss` of every token, exactly as the identity provider writes it."""

    auth_audience: str = Field(default="harken", min_length=1, validation_alias=AliasChoices("HARKEN_AUTH_AUDIENCE"))
    """What `aud` must name: this installation."""

    auth_algorithm: Literal["RS256", "ES256", "EdDSA", "HS256"] = Field(
        default="EdDSA", validation_alias=AliasChoices("HARKEN_AUTH_ALGORITHM")
    )
    """The one with which tokens are signed. What a token says of itself is not asked."""

    auth_token_type: Literal["at+jwt", "JWT"] = Field(
        default="at+jwt", validation_alias=AliasChoices("HARKEN_AUTH_TOKEN_TYPE")
    )
    """The `typ` of an access token. JWT for providers that do not write at+jwt: then one of their identity tokens for this audience would do, too."""

    local_admin: bool = Field(default=False, validation_alias=AliasChoices("HARKEN_LOCAL_ADMIN"))
    """With authentication configured: requests on loopback without a token are an admin's all the same. Never behind a proxy."""

    public_hosts: str = Field(default="", validation_alias=AliasChoices("HARKEN_PUBLIC_HOSTS"))
    """Names under which others reach this server, with commas between. Needed to listen on any address but loopback. `*`: any."""

    requests_per_minute: int = Field(
        default=100, ge=1, le=1_000_000, validation_alias=AliasChoices("HARKEN_REQUESTS_PER_MINUTE")
    )
    """Of one customer, or of one caller who is none. Whoever needs no token is not counted."""
