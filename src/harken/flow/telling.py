"""An answer of ours -> an event of the log, as if a source had sent it: profiles and conversations follow."""

from datetime import UTC

from harken.act.ports import Message
from harken.domain.event import Kind
from harken.errors import RefusedError
from harken.flow import live
from harken.flow.arriving import Arrival, Outcome
from harken.flow.desk import LiveDesk
from harken.flow.dossier import microseconds
from harken.intake import canonical

SOURCE = "harken"


class NotTakenError(RefusedError):
    """The log has something else under this id."""


def say(message: Message, id_: str, desk: LiveDesk) -> str:
    """The id of the event; the same however often it is said. Raises TryAgainError, NotTakenError."""
    [receipt] = live.receive([_arrival(message, id_, desk)], desk)
    if receipt.outcome not in (Outcome.ACCEPTED, Outcome.DUPLICATE):
        raise NotTakenError
    return receipt.id


def _arrival(message: Message, id_: str, desk: LiveDesk) -> Arrival:
    """As it was decided, so that a second try is the same event to the letter."""
    text = str(message.arguments["text"])
    row = {
        "id": id_,
        "kind": Kind.MESSAGE_SENT.value,
        "identity": message.customer,
        "author": message.brand or message.author,  # whom customers speak with: who of us it was, the ticket says
        "channel": message.spoken_on,
        "at": microseconds(message.at.astimezone(UTC)),
        "in_reply_to": message.in_reply_to,
        "addressed_to": None,
        "text": text,
        "source": SOURCE,
        "attributes": None,
    }
    form = canonical.text({name: value for name, value in row.items() if value is not None}).encode()
    return Arrival(row=row, same_as=form, received_at=desk.clock())
