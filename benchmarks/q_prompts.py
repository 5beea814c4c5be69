"""What leaving out what does not matter saves of a prompt, and whether the sentence that answers is still shown.

    python -m benchmarks.q_prompts --data FOLDER [--json]

`--data`: a folder with `tau2_banking/documents`, searched with questions of ours (benchmarks/queries/bank.jsonl). Each question is
asked alone, and at the end of a conversation of 12 and of 40 turns made of other questions and of what the library says to them.

Before: all turns, the summary, the whole profile and the six best passages whole. After: what a model is shown. The sentence that
answers is found apart from our own way of choosing: of the right document the one nearest in meaning (the embedder's cosine).
The yardstick: each passage cut at as many characters as the excerpt has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure
from harken import bootstrap, settings
from harken.adapters.writers import live_prompt, relevance
from harken.adapters.writers.prompt import Prompt
from harken.cli.printing import Quiet
from harken.conversations.facts import facts_of
from harken.domain.classification import Classification
from harken.domain.conversation import Conversation, Standing, Status, Turn
from harken.domain.decision import Action, Context, Decision, IssueStatus, Live, OutChannel
from harken.domain.event import Channel, Reading
from harken.domain.ids import ConversationId, CustomerId, DecisionId, EventId, IdentityId, ThreadId
from harken.domain.passage import Passage
from harken.domain.profile import Profile
from harken.flow import adding, searching
from harken.flow.library_desk import LibraryDesk
from harken.profiles.features import NAMES

OWN = Path(__file__).parent / "queries" / "bank.jsonl"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HISTORY_TOKENS = 2000
BEFORE = (0, 12, 40)
"""Turns before the question."""


@dataclass
class Tally:
    before: int = 0
    after: int = 0
    questions: int = 0
    found: int = 0  #: the sentence that answers stands in a passage that was found
    shown: int = 0
    cut: int = 0  #: it would be shown by cutting at the same length


def main() -> None:
    given = measure.options(__doc__, customers=0).parse_args()
    if given.data is None or not given.data.is_dir():
        raise SystemExit("This one needs documents: --data FOLDER; see its docstring.")
    with measure.folder() as scratch:
        figures = measured(given.data, scratch)
        measure.wait_until_stopped(scratch / "home")
    measure.show("Q prompts", figures, as_json=given.json)


def measured(folder: Path, scratch: Path) -> dict[str, Any]:
    asked = [json.loads(line) for line in OWN.read_text("utf-8").splitlines() if line]
    home = scratch / "home"
    home.mkdir(mode=0o755)
    with bootstrap.desk_of(settings.load().model_copy(update={"home": home})) as desk:
        assert desk.library is not None
        adding.add([folder / "tau2_banking" / "documents"], adding.Wish(), desk.library, Quiet())
        found = [_found(each["query"], desk.library) for each in asked]
        gold = [_gold(each, folder, desk.library) for each in asked]
    figures: dict[str, Any] = {}
    for turns in BEFORE:
        tally = Tally()
        for place, each in enumerate(asked):
            _one(tally, _context(place, turns, asked, found), each["query"], gold[place])
        figures |= _told(turns, tally)
    return figures


def _found(question: str, desk: LibraryDesk) -> tuple[Passage, ...]:
    limits = searching.Limits(results=live_prompt.MOST_PASSAGES)
    hits = searching.search(question, desk.clearances().reader("admin"), desk, limits).hits
    return tuple(
        Passage(id=str(hit.passage.number), text=hit.passage.text, source=hit.passage.title, score=hit.score)
        for hit in hits
    )


def _gold(asked: dict[str, Any], folder: Path, desk: LibraryDesk) -> str:
    """Of the right documents, the sentence nearest to the question in meaning."""
    texts = [
        json.loads((folder / "tau2_banking" / "documents" / f"{name}.json").read_text("utf-8"))["content"]
        for name in asked["expected"]
    ]
    parts = [part for text in texts for part in relevance.sentences(text) if len(part) > 20]
    vectors = np.asarray(desk.embedders()[0].embed([asked["query"], *parts]), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    return parts[int(np.argmax(vectors[1:] @ vectors[0]))]


def _one(tally: Tally, context: Context, question: str, gold: str) -> None:
    prompt: Prompt = live_prompt.compose(_decision(), context, HISTORY_TOKENS)
    after = prompt.tokens
    tally.before += after + prompt.saved
    tally.after += after
    tally.questions += 1
    wanted = _flat(gold)
    best = [context.passages[place] for place in prompt.shown]
    there = [passage for passage in best if wanted in _flat(passage.text)]
    cut = zip(best, live_prompt.EXCERPT_CHARACTERS, strict=False)
    shown = [each["text"] for each in json.loads(prompt.user)["passages"]]
    tally.found += bool(there)
    tally.shown += bool(there) and any(wanted in _flat(text) for text in shown)
    tally.cut += any(wanted in _flat(each.text)[:room] for each, room in cut)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _context(place: int, turns: int, asked: Sequence[dict[str, Any]], found: Sequence[tuple[Passage, ...]]) -> Context:
    others = [(place + 1 + step) % len(asked) for step in range(turns // 2)]
    said: list[tuple[bool, str]] = []
    for other in others:
        said += [(True, asked[other]["query"]), (False, relevance.cut(found[other][0].text, 400))]
    said.append((True, asked[place]["query"]))
    spoken = tuple(_turn(number, theirs, text) for number, (theirs, text) in enumerate(said))
    customer = CustomerId("5521")
    identity = IdentityId("chat:5521")
    return Context(
        now=NOON,
        customer=customer,
        conversation=Conversation(
            id=ConversationId("c"),
            thread=ThreadId("t"),
            identity=identity,
            brand="bank",
            channel=Channel.CHAT,
            facts=replace(facts_of(spoken), language="en"),
            turns=spoken,
        ),
        standing=Standing(status=Status.OPEN, rule="customer-spoke-last", because="The customer spoke last."),
        profile=Profile(customer=customer, identities=(identity,), as_of=NOON, features=dict.fromkeys(NAMES, 0)),
        passages=found[place],
        live=Live(
            classification=Classification(category="general_inquiry", probability=1.0, model="none"),
            turns=1,
            verified=True,
        ),
    )


def _turn(number: int, theirs: bool, text: str) -> Turn:
    return Turn(
        id=EventId(f"chat:{number}"),
        at=NOON - timedelta(minutes=100 - number),
        from_customer=theirs,
        author="5521" if theirs else "bank",
        channel=Channel.CHAT,
        reading=Reading(language="en"),
        text=text,
    )


def _decision() -> Decision:
    return Decision(
        id=DecisionId("d"),
        customer=CustomerId("5521"),
        conversation=ConversationId("c"),
        action=Action.ANSWER,
        channel=OutChannel.CHAT,
        send_at=NOON,
        issue_status=IssueStatus.PENDING_CUSTOMER,
        rule="r",
        because="The customer waits for an answer to 1 message.",
        cited={"unanswered": 1},
        candidates=(),
        probability=1.0,
        policy="p",
        definitions="d",
        as_of=NOON,
        profile_position=1,
    )


def _told(turns: int, tally: Tally) -> dict[str, str]:
    saved = 100 * (1 - tally.after / tally.before)
    each = f"{tally.before // tally.questions} -> {tally.after // tally.questions} tokens, {saved:.0f} % saved"
    share = f"{tally.shown}/{tally.found} = {tally.shown / tally.found:.3f} (cut at the same length {tally.cut / tally.found:.3f})"
    return {f"{turns} turns before: a prompt": each, f"{turns} turns before: sentence that answers still shown": share}


if __name__ == "__main__":
    main()
