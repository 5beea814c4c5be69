"""What proves who is asking, and thirty ways of pretending that do not."""

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from access_cases import (
    AUDIENCE,
    EC,
    ED,
    NOW,
    RSA,
    SECONDS,
    SECRET,
    SIGNING,
    claims,
    issuer_of,
    listed,
    signed,
    stopped_at,
)  # fmt: skip
from joserfc.jwk import OctKey, OKPKey, RSAKey

from harken.errors import TryAgainError, UnsuitableError
from harken.web.auth import keys, tokens
from harken.web.auth.keys import Algorithm, Keys, NoKeyError
from harken.web.auth.principal import Role
from harken.web.auth.tokens import BadTokenError

STRANGER = OKPKey.generate_key("Ed25519", parameters={"kid": "ed-1"})
WEAK = "a short secret"
with warnings.catch_warnings(action="ignore"):
    WEAK_RSA = RSAKey.generate_key(1024)


def part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def by_hand(header: Any, said: Any, secret: bytes = b"") -> str:
    """A token as no library would make it."""
    front = f"{part(header)}.{part(said)}"
    mark = hmac.new(secret, front.encode(), hashlib.sha256).digest() if secret else b"x"
    return f"{front}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def bent(token: str) -> str:
    """One letter of the payload is another one."""
    front, middle, end = token.split(".")
    return ".".join([front, ("A" if middle[20] != "A" else "B").join([middle[:20], middle[21:]]), end])


HEAD = {"alg": "EdDSA", "typ": "at+jwt", "kid": "ed-1"}
GOOD = signed(claims())
ATTACKS: dict[str, tuple[str, str]] = {
    "nothing": ("", "malformed"),
    "no token at all": ("hello", "malformed"),
    "four parts": (f"{GOOD}.x", "malformed"),
    "no signature": (GOOD.rpartition(".")[0] + ".", "malformed"),
    "a letter of the payload": (bent(GOOD), "malformed|signature"),
    "padded": (GOOD + "=", "malformed"),
    "alg none": (by_hand({**HEAD, "alg": "none"}, claims()), "algorithm"),
    "alg nOnE": (by_hand({**HEAD, "alg": "nOnE"}, claims()), "algorithm"),
    "no alg": (by_hand({"typ": "at+jwt"}, claims()), "algorithm"),
    "the public key as a secret": (
        by_hand({**HEAD, "alg": "HS256"}, claims(), RSA.as_pem(private=False)), "algorithm",
    ),
    "another algorithm's good key": (signed(claims(), RSA, "RS256"), "algorithm"),
    "a stranger's key of the same id": (signed(claims(), STRANGER), "signature"),
    "an id that nobody has": (signed(claims(), kid="ed-9"), "key"),
    "an id that is a path": (signed(claims(), kid="../../dev/null"), "key"),
    "a key id that is a number": (by_hand({**HEAD, "kid": 7}, claims()), "key"),
    "where to fetch the key": (by_hand({**HEAD, "jku": "https://evil.example/keys"}, claims()), "header"),
    "a certificate's address": (by_hand({**HEAD, "x5u": "https://evil.example/c"}, claims()), "header"),
    "the key brought along": (by_hand({**HEAD, "jwk": STRANGER.as_dict(private=False)}, claims()), "header"),
    "something critical": (by_hand({**HEAD, "crit": ["exp"], "exp": 1}, claims()), "header"),
    "unencoded payload": (by_hand({**HEAD, "b64": False}, claims()), "header"),
    "an identity token": (signed(claims(), typ="JWT"), "type"),
    "no type": (signed(claims(), typ=None), "type"),
    "a name twice in the header": (by_hand('{"alg":"EdDSA","alg":"none","typ":"at+jwt"}', claims()), "malformed"),
    "a claim twice": (signed('{"sub":"lena","sub":"root"}'), "malformed"),
    "no object": (signed("[1]"), "malformed"),
    "infinite": (signed('{"exp": Infinity}'), "malformed"),
    "nested without end": (signed("[" * 3000), "malformed"),
    "expired": (signed(claims(exp=SECONDS - 31)), "expired"),
    "never expires": (signed(claims(exp=None)), "claims"),
    "expires at a word": (signed(claims(exp="tomorrow")), "claims"),
    "expires at true": (signed(claims(exp=True)), "claims"),
    "expires after all time": (signed(claims(exp=10**400)), "claims"),
    "not yet": (signed(claims(nbf=SECONDS + 60)), "early"),
    "made in the future": (signed(claims(iat=SECONDS + 60, nbf=None)), "early"),
    "made at no time": (signed(claims(iat=None)), "claims"),
    "another issuer": (signed(claims(iss="https://id.example/")), "issuer"),
    "no issuer": (signed(claims(iss=None)), "issuer"),
    "for somebody else": (signed(claims(aud="another")), "audience"),
    "for nobody": (signed(claims(aud=None)), "audience"),
    "for a part of us": (signed(claims(aud={AUDIENCE: 1})), "audience"),
    "a number as a name": (signed(claims(sub=7)), "claims"),
    "no name": (signed(claims(sub=None)), "claims"),
    "a name with a line in it": (signed(claims(sub="lena\nadmin")), "claims"),
    "no role": (signed(claims(roles=[])), "role"),
    "a role that nobody knows": (signed(claims(roles=["root"])), "role"),
    "roles that are a map": (signed(claims(roles={"admin": 1})), "claims"),
    "a customer of no name": (signed(claims(roles=["customer"])), "claims"),
    "no country": (signed(claims(jurisdiction=["Atlantis"])), "claims"),
    "huge": (signed(claims(note="x" * 9_000)), "too_large"),
    "endless": ("x" * 1_000_000, "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_with_its_reason(attack: str) -> None:
    token, reason = ATTACKS[attack]

    with pytest.raises(BadTokenError) as refused:
        tokens.principal(token, issuer_of(ED), stopped_at(NOW))

    assert refused.value.reason in reason.split("|")


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_good_token_says_who_it_is(algorithm: Algorithm) -> None:
    said = claims(roles=["agent", "lead", "guest"], jurisdiction=["de", "US-CA"], scope="tickets:read profiles:read")
    token = signed(said, SIGNING[algorithm], algorithm)

    found = tokens.principal(token, issuer_of(SIGNING[algorithm], algorithm=algorithm), stopped_at(NOW))

    assert (found.subject, found.roles, found.role) == ("lena", {Role.AGENT, Role.LEAD}, Role.LEAD)
    assert (found.jurisdictions, found.scopes) == (("DE", "US-CA"), {"tickets:read", "profiles:read"})
    assert (found.token_id, found.customer, found.local) == ("j-1", None, False)
    assert found.expires_at == NOW + timedelta(seconds=600)


@pytest.mark.parametrize(
    "change",
    [{"exp": SECONDS - 29}, {"nbf": SECONDS + 29}, {"nbf": None}, {"aud": ["other", AUDIENCE]}, {"jti": None}, {"roles": "agent lead"}],
)  # fmt: skip
def test_what_honest_issuers_do_differently_is_taken(change: dict[str, Any]) -> None:
    found = tokens.principal(signed(claims(**change)), issuer_of(ED), stopped_at(NOW))

    assert found.subject == "lena"
    assert len(found.token_id) in (3, 64)


def test_an_issuer_that_does_not_know_access_tokens() -> None:
    plain = issuer_of(ED, token_type="JWT")

    assert tokens.principal(signed(claims(), typ="JWT"), plain, stopped_at(NOW)).subject == "lena"
    with pytest.raises(BadTokenError, match="type"):
        tokens.principal(signed(claims()), plain, stopped_at(NOW))


def test_with_one_key_a_token_need_not_name_it() -> None:
    token = signed(claims(), kid=None)

    assert tokens.principal(token, issuer_of(ED), stopped_at(NOW)).subject == "lena"
    with pytest.raises(BadTokenError, match="key"):
        tokens.principal(token, issuer_of(ED, OKPKey.generate_key("Ed25519")), stopped_at(NOW))


class Shelf:
    """Keys that change, as an issuer's do, and how often they were asked for."""

    def __init__(self, *listed_now: Any) -> None:
        self.keys, self.asked, self.seconds, self.broken = listed_now, 0, 0.0, False

    def read(self) -> bytes:
        self.asked += 1
        if self.broken:
            raise TryAgainError("away")
        return listed(*self.keys)

    def known(self) -> Keys:
        return Keys(self.read, "EdDSA", lambda: self.seconds)


def test_made_up_key_ids_cost_the_issuer_one_question_in_half_a_minute() -> None:
    shelf = Shelf(ED)
    known = shelf.known()
    known.look()

    for number in range(1_000):
        with pytest.raises(NoKeyError):
            known.key(f"made-up-{number}")
    assert shelf.asked == 2

    shelf.seconds = 30.0
    with pytest.raises(NoKeyError):
        known.key("made-up")
    assert shelf.asked == 3


def test_a_new_key_is_found_and_the_old_one_holds_while_it_is_listed() -> None:
    new = OKPKey.generate_key("Ed25519", parameters={"kid": "ed-2"})
    shelf = Shelf(ED)
    known = shelf.known()
    known.look()
    issuer = replace(issuer_of(ED), keys=known)
    old_token, new_token = signed(claims()), signed(claims(), new)

    shelf.keys = (new, ED)
    for token in (new_token, old_token):
        assert tokens.principal(token, issuer, stopped_at(NOW)).subject == "lena"
    shelf.keys, shelf.seconds = (new,), 100.0
    known.look()
    with pytest.raises(BadTokenError, match="key"):
        tokens.principal(old_token, issuer, stopped_at(NOW))


def test_an_issuer_that_is_away_takes_no_key_with_it() -> None:
    shelf = Shelf(ED)
    known = shelf.known()
    known.look()
    shelf.broken = True

    with pytest.raises(NoKeyError):
        known.key("ed-2")
    assert known.key("ed-1").kid == "ed-1"


@pytest.mark.parametrize(
    ("content", "algorithm", "why"),
    [
        (listed(OctKey.import_key(WEAK)), "HS256", "32 bytes"),
        (RSA.as_pem(private=False), "HS256", "no secret"),
        (listed(WEAK_RSA), "RS256", "2048 bits"),
        (listed(RSA), "EdDSA", "no key for EdDSA"),
        (listed(EC, SECRET), "RS256", "no key for RS256"),
        (b"{}", "EdDSA", "no key"),
        (b"hello", "EdDSA", "cannot be read"),
        (b"\xff", "EdDSA", "cannot be read"),
        (b"[]", "EdDSA", "cannot be read"),
        (b'{"keys": 1}', "EdDSA", "cannot be read"),
        (b'{"keys": ["x"]}', "EdDSA", "cannot be read"),
        (b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "!"}]}', "EdDSA", "cannot be read"),
        (b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "RS256", "cannot be read"),
    ],
)
@pytest.mark.filterwarnings("ignore:Key size")
def test_keys_that_protect_nothing_are_refused(content: bytes, algorithm: Algorithm, why: str) -> None:
    with pytest.raises(UnsuitableError, match=why) as refused:
        keys.parse(content, algorithm)
    assert WEAK not in str(refused.value)


def test_a_pem_is_a_key_without_a_name() -> None:
    [key] = keys.parse(RSA.as_pem(private=False), "RS256").values()
    token = signed(claims(), RSA, "RS256", kid=None)

    issuer = replace(issuer_of(RSA, algorithm="RS256"), keys=_just(RSA.as_pem(private=False)))
    assert key.key_type == "RSA"
    assert tokens.principal(token, issuer, stopped_at(NOW)).subject == "lena"


def _just(content: bytes) -> Keys:
    read: Callable[[], bytes] = lambda: content  # noqa: E731
    known = Keys(read, "RS256")
    known.look()
    return known


@pytest.mark.parametrize("url", ["http://id.example/keys", "file:///etc/passwd", "ftp://id.example"])
def test_keys_are_fetched_where_nobody_can_swap_them(url: str) -> None:
    with pytest.raises(UnsuitableError, match="https"):
        keys.at_address(url)
