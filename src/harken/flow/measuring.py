"""Labelled questions -> how good the answers are: each asked as its customer, nothing delivered, and compared with its label.

The figures and what they mean:

accuracy       of the answers sent, those that the label wants sent, with every word that it wants and none that it forbids
hallucination  of the answers sent, those with a figure that no cited passage holds
compliance     of all that customers were told, what holds no word that a label forbids
as_expected    of all questions, those that ended as the label says
resolution     of the questions that the label wants answered, those answered right and sent
escalation     of all questions, those that a person has in the end
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from harken.errors import UnsuitableError
from harken.flow import asking
from harken.flow.agent_desk import AgentDesk
from harken.flow.concluding import PERSON_FIRST, Ending
from harken.flow.ending import Answered
from harken.flow.ports import Progress

MOST_QUESTIONS = 20_000
ANY, UNANSWERED = "any", "unanswered"
"""Labels beside the endings: whatever becomes of it; anything but an answer."""

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    id: str
    text: str
    customer: str
    expected: str  #: an ending, `unanswered` or `any`
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One question beside what became of it."""

    question: Question
    ending: Ending
    reason: str
    message: str
    right: bool  #: says what it should and nothing that it must not
    invented: bool  #: sent, and with a figure that nothing cited holds
    clean: bool  #: holds no forbidden word

    @property
    def as_expected(self) -> bool:
        if self.question.expected == UNANSWERED:
            return self.ending is not Ending.SENT
        return self.question.expected in (ANY, self.ending.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Shares between 0 and 1; None where nothing could be counted. The names are those of `harken evaluate --json`."""

    questions: int
    endings: Mapping[str, int]
    sent: int
    accuracy: float | None
    hallucination: float | None
    compliance: float | None
    as_expected: float | None
    resolution: float | None
    escalation: float | None
    unexpected: Sequence[Mapping[str, str]] = field(default_factory=tuple)


def read(path: Path) -> list[Question]:
    """JSON lines: `text`, and what is known of `id customer expected says never`. Raises UnsuitableError with the line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UnsuitableError(f"{path} cannot be read as UTF-8 text.") from None
    found = [_question(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found or len(found) > MOST_QUESTIONS:
        raise UnsuitableError(f"{path} has {len(found):,} questions: between 1 and {MOST_QUESTIONS:,} can be asked.")
    return found


def _question(line: str, number: int) -> Question:
    try:
        row = orjson.loads(line)
        text = row["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise UnsuitableError(f"Line {number} is no JSON object with a `text`.") from None
    expected = row.get("expected", ANY)
    if (
        not isinstance(text, str)
        or not text.strip()
        or expected not in {ANY, UNANSWERED, *(each.value for each in Ending)}
    ):
        raise UnsuitableError(
            f"Line {number}: `text` is words, and `expected` one of {', '.join(Ending)}, {UNANSWERED}, {ANY}."
        )
    return Question(
        id=str(row.get("id", number)),
        text=text,
        customer=str(row.get("customer", f"evaluation-{number}")),
        expected=expected,
        says=tuple(row.get("says", ())),
        never=tuple(row.get("never", ())),
    )


async def evaluate(questions: Sequence[Question], desk: AgentDesk, progress: Progress) -> Quality:
    """Each becomes a ticket of a customer of its own, so that a second evaluation finds nobody's limits used up."""
    progress.step("asking", len(questions))
    graded, run = [], int(desk.tickets.live.clock().timestamp())
    for question in questions:
        answered = await asking.ask(question.text, f"{question.customer}-{run}-{question.id}", desk)
        graded.append(grade(question, answered))
        progress.advance(1)
    return figures(graded)


def grade(question: Question, answered: Answered) -> Graded:
    message, ending = answered.message, answered.conclusion.ending
    low = message.lower()
    clean = not any(word.lower() in low for word in question.never)
    unwanted = ending is Ending.SENT and question.expected not in (ANY, Ending.SENT)
    right = clean and not unwanted and all(word.lower() in low for word in question.says)
    return Graded(
        question=question,
        ending=ending,
        reason=answered.conclusion.reason,
        message=message,
        right=right,
        invented=ending is Ending.SENT and _invented(answered),
        clean=clean,
    )


def _invented(answered: Answered) -> bool:
    """Whether there is a figure in it that stands in nothing that is cited."""
    thought = answered.thought
    cited = [thought.gathered.context.passages[place].text for place in thought.advice.draft.citations]
    held = " ".join(_WORDS.findall(" ".join(cited).lower()))
    said = [" ".join(_WORDS.findall(sentence.lower())) for sentence in _SENTENCE.findall(answered.message)]
    return any(
        any(part.isdigit() for part in each.split()) and each not in held and not _within(each, held) for each in said
    )


def _within(sentence: str, held: str) -> bool:
    """All its numbers stand there: a frame of ours around a quote is no claim."""
    numbers = {part for part in sentence.split() if any(sign.isdigit() for sign in part)}
    return numbers <= set(held.split())


def figures(graded: Sequence[Graded]) -> Quality:
    sent = [each for each in graded if each.ending is Ending.SENT]
    told = [each for each in graded if each.message]
    wanted = [each for each in graded if each.question.expected == Ending.SENT]
    return Quality(
        questions=len(graded),
        endings=dict(Counter(each.ending.value for each in graded).most_common()),
        sent=len(sent),
        accuracy=_share(each.right for each in sent),
        hallucination=_share(each.invented for each in sent),
        compliance=_share(each.clean for each in told),
        as_expected=_share(each.as_expected for each in graded),
        resolution=_share(each.ending is Ending.SENT and each.right for each in wanted),
        escalation=_share(each.ending in PERSON_FIRST for each in graded),
        unexpected=[
            {
                "id": each.question.id,
                "expected": each.question.expected,
                "ending": each.ending.value,
                "reason": each.reason,
            }
            for each in graded
            if not each.as_expected
        ],
    )


def _share(holds: Iterable[bool]) -> float | None:
    counted = list(holds)
    return round(sum(counted) / len(counted), 4) if counted else None
