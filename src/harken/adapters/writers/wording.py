"""What a language model may write, as schemas: JSON -> a reply, the same way when it is asked and when it is replayed."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from harken.adapters.writers import templates
from harken.adapters.writers.asking import Reply
from harken.domain.proposal import Proposal


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Wording(_Data):
    """The words for a decision."""

    message: str
    reasoning: str

    def reply(self) -> Reply:
        return Reply(message=self.message, reasoning=self.reasoning, raw=self.model_dump_json())


class Argument(_Data):
    """A list of these instead of an object: providers that hold a model to a schema want every name in it."""

    name: str
    value: str | int | float | bool | None


class Proposed(_Data):
    """Something that could be done."""

    action: str
    arguments: list[Argument]

    def proposal(self) -> Proposal:
        return Proposal(action=self.action, arguments={each.name: each.value for each in self.arguments})


class Answer(_Data):
    """The words of a live answer, what they rest on, and what could be done."""

    message: str
    reasoning: str
    citations: list[int]
    confidence: float
    proposals: list[Proposed]

    def reply(self) -> Reply:
        return Reply(
            message=self.message,
            reasoning=self.reasoning,
            cited=tuple(self.citations),
            confidence=self.confidence,
            proposals=tuple(each.proposal() for each in self.proposals),
            raw=self.model_dump_json(),
        )


class Translation(_Data):
    """One text for each that was given."""

    texts: list[str]

    def reply(self) -> Reply:
        return Reply(texts=tuple(self.texts), raw=self.model_dump_json())


class Sorted(_Data):
    """What a message is about."""

    category: str

    def reply(self) -> Reply:
        return Reply(texts=(self.category,), raw=self.model_dump_json())


Shape = type[Wording] | type[Answer] | type[Translation] | type[Sorted]

SHAPES: Final[Mapping[str, Shape]] = {
    templates.MESSAGE: Wording,
    templates.ANSWER: Answer,
    templates.TRANSLATION: Translation,
    templates.CATEGORY: Sorted,
}
"""Template -> what its reader writes. A suggestion is plain text and has none."""


def read(raw: str, template: str) -> Reply:
    """What a record or a cache kept. Raises pydantic's ValidationError where it is not of that shape."""
    return SHAPES[template].model_validate_json(raw).reply()
