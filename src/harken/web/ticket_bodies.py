"""What requests about tickets look like, and what is answered: to people of the house, and to their customers."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from harken.domain.event import Channel
from harken.domain.ticket import OwnerType, Priority, StatusCategory
from harken.web.moments import Moment

_NO = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"  # control characters but tab, line feed and return
_WORDS = rf"^[^{_NO}]*[^{_NO} \t\r\n][^{_NO}]*$"
_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
_SPACE = (
    r"\x00-\x20\x7f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # `\s` is another set in each dialect
)
_ID = rf"[^{_SPACE}]"
_ID_ENDS = rf"[^{_SPACE}:]"

Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=16_000, pattern=_WORDS)]
Subject: TypeAlias = Annotated[str, Field(min_length=1, max_length=300, pattern=_LINE)]
Customer: TypeAlias = Annotated[str, Field(min_length=1, max_length=190, pattern=rf"^{_ID_ENDS}({_ID}*{_ID_ENDS})?$")]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=80, pattern=_LINE)]
EventName: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^{_ID}+$")]
TicketName: TypeAlias = Annotated[
    str, Field(pattern=r"^([0-9]{1,18}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")
]
OwnerName: TypeAlias = Annotated[
    str, Field(max_length=100, pattern=r"^(ai|person|team|bot|none)(:[^\x00-\x1f\x7f]{1,80})?$")
]

MOST_ON_A_PAGE = 100
API: Final = "api"
Door: TypeAlias = Literal["twitter", "email", "chat", "phone", "app", "branch", "web", "system", "api"]


def channel_of(door: Door) -> Channel:
    """Another program speaks for somebody on the web."""
    return Channel.WEB if door == API else Channel(door)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SaidOfCustomer(Strict):
    """What only whoever works for the organisation may say of a customer; unsaid: what the profile knows."""

    tier: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = ""
    jurisdiction: Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""


class NewTicket(Strict):
    customer_id: Customer
    subject: Subject
    description: Text
    priority: Priority | None = None
    channel: Door = API
    attributes: SaidOfCustomer = SaidOfCustomer()


class NewMessage(Strict):
    """`agent`: our answer, which the customer sees and which takes the ticket over."""

    text: Text
    author: Literal["customer", "agent"] = "customer"


class NewNote(Strict):
    text: Text


class NewStatus(Strict):
    """A word of the desk's own, or the name of a category."""

    status: Label


class NewPriority(Strict):
    priority: Priority


class NewOwner(Strict):
    """`ai` and `none` have no id."""

    type: OwnerType
    id: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class NewTags(Strict):
    """All tags from now on. They rest in clear: no names of customers."""

    tags: Annotated[list[Label], Field(max_length=50)]


class NewSnooze(Strict):
    """Null ends it."""

    until: Moment | None


class NewMerge(Strict):
    other: TicketName


class NewSplit(Strict):
    messages: Annotated[list[EventName], Field(min_length=1, max_length=1000)]
    subject: Subject | None = None


class PageAsked(Strict):
    """`owner`: `person:lena`, or `team` for every team's. `after`: where the page before ended."""

    status: Annotated[StatusCategory | None, Field(alias="filter[status]")] = None
    owner: Annotated[OwnerName | None, Field(alias="filter[owner]")] = None
    tag: Annotated[Label | None, Field(alias="filter[tag]")] = None
    customer: Annotated[Customer | None, Field(alias="filter[customer]")] = None
    updated_since: Annotated[Moment | None, Field(alias="filter[updated_since]")] = None
    size: Annotated[int, Field(alias="page[size]", ge=1, le=MOST_ON_A_PAGE)] = 25
    after: Annotated[int | None, Field(alias="page[after]", ge=1, le=1 << 62)] = None


class OwnerShown(BaseModel):
    type: OwnerType
    id: str
    epoch: int


class MessageShown(BaseModel):
    id: str
    at: datetime
    author_type: str
    author: str
    text: str
    channel: Channel
    private: bool


class ClockShown(BaseModel):
    """Seconds of working time."""

    name: str
    state: str
    started_at: datetime
    limit_s: int
    elapsed_s: int
    due_at: datetime | None


class TicketShown(BaseModel):
    """As people of the house see it."""

    id: str
    number: int
    customer_id: str
    subject: str
    channel: Channel
    brand: str
    status: StatusCategory
    label: str
    priority: Priority
    owner: OwnerShown
    category: str | None
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    first_reply_at: datetime | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    reopened: int
    turns: int
    version: int
    merged_into: str | None
    attributes: dict[str, str | int | bool | None]


class WholeTicket(TicketShown):
    """`answers`: those of the messages that are ours."""

    acknowledged: bool
    description: str
    messages: list[MessageShown]
    answers: list[MessageShown]
    sla: list[ClockShown]


class CustomersLine(BaseModel):
    id: str
    number: int
    customer_id: str
    subject: str
    channel: Channel
    status: StatusCategory
    created_at: datetime


class CustomersTicket(CustomersLine):
    """As its customer sees it: no notes, no names of ours, nothing of how we work."""

    updated_at: datetime
    acknowledged: bool
    description: str
    messages: list[MessageShown]
    answers: list[MessageShown]


class Page(BaseModel):
    has_more: bool


class Links(BaseModel):
    next: str | None


class TicketPage(BaseModel):
    data: list[TicketShown]
    meta: Page
    links: Links


class CustomersPage(BaseModel):
    data: list[CustomersLine]
    meta: Page
    links: Links


class ChangeShown(BaseModel):
    """`event`: the dotted name; `data`: what the change says."""

    version: int
    at: datetime
    by: str
    event: str
    data: dict[str, Any]


class ChangesShown(BaseModel):
    data: list[ChangeShown]
