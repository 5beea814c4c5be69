"""The settings -> the desk of the audit: its key, its pins, and a database as the sealer; and the desk of replays."""

from functools import partial

from harken.adapters.channels import elsewhere
from harken.adapters.writers import offline, recorded
from harken.audit.note import Signer
from harken.audit.pins import Pins
from harken.bootstrap.acting import outside_rules
from harken.decide.ports import Writer
from harken.domain.decision import Advice, Context, Draft
from harken.domain.verdict import Verdict
from harken.errors import UnsuitableError
from harken.flow.audit_desk import AuditDesk
from harken.flow.replay_desk import ReplayDesk
from harken.flow.think import Careful
from harken.guard import rules_file
from harken.guard.judging import judge
from harken.kit import db
from harken.kit.clock import wall_clock
from harken.privacy import key_file
from harken.privacy.keys import MasterKey
from harken.settings import Settings

KEY_NAME = "audit signing key"


def desk_of(settings: Settings, url: str) -> AuditDesk:
    """The key is made with the first call, beside the master key. Raises UnsuitableError for one that cannot be used."""
    folder = settings.home / "audit"
    given = settings.audit_key.get_secret_value()
    secret = key_file.from_text(given, KEY_NAME) if given else key_file.load(folder / "signing.key", KEY_NAME)
    if len(secret) != key_file.KEY_BYTES:
        raise UnsuitableError(f"The {KEY_NAME} must have {key_file.KEY_BYTES} bytes; this one has {len(secret)}.")
    signer, rules = Signer(secret), outside_rules(settings)
    there = settings.audit_pin_url
    return AuditDesk(
        database=db.Database(url, size=2, role=db.SEALER_ROLE),
        signer=signer,
        pins=Pins(folder / "pins"),
        clock=wall_clock,
        elsewhere=elsewhere.Elsewhere(there, rules, signer.public.text, wall_clock) if there else None,
        fetch=partial(elsewhere.fetched, rules=rules),
    )


def replay_desk_of(settings: Settings, url: str, master: MasterKey) -> ReplayDesk:
    return ReplayDesk(
        database=db.Database(url, size=2), master=master, writer=_writer_of, prepared=recorded.writer, judge=_judged
    )


def _writer_of(draft: Draft, rules: str | None) -> Writer:
    """Who worded it then: a model answers what it answered, and everything around it is worked out again."""
    writer = recorded.writer(draft.exchanges)
    return Careful(writer, offline.OfflineWriter(), rules_file.from_text(rules)) if rules is not None else writer


def _judged(advice: Advice, context: Context, rules: str) -> Verdict:
    return judge(advice, context, rules_file.from_text(rules))
