"""A document for each combination of rights, with words that stand in it alone, and who may read it by the readers' file.

Who may read is worked out here from the words of that file, without the database and without the code that asks it.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from itertools import product
from pathlib import Path

from harken.adapters import embedders
from harken.errors import TryAgainError
from harken.knowledge.ports import Vectors

VISIBILITIES = ("public", "internal", "restricted")
JURISDICTIONS = ("", "DE", "US", "US-CA", "GB")
CLASSES = ("policy", "product", "regulatory", "support_log")
RISKS = ("low", "medium", "high")

ROLES = tomllib.loads(resources.files("harken.knowledge").joinpath("readers_default.toml").read_text("utf-8"))
WHEREABOUTS = (None, "DE", "US", "US-CA", "GB", "XX")
"""Where readers are; nothing is written for the last."""

SHARED = "kestrel"
"""A word of every document."""

TOPICS = (
    ("sending money abroad", "A transfer to another country costs twelve dollars and arrives within three days."),
    ("a lost card", "Freeze the card in the app at once; a new one comes by post within a week."),
    ("closing an account", "The balance is paid out, and the statements stay readable for ten years."),
    ("a forgotten password", "Choose a new one on the page for signing in; the link holds for an hour."),
    ("interest on savings", "It is counted by the day and credited at the end of each quarter."),
    ("a complaint", "Whoever is not content hears from us within five working days."),
)
QUESTIONS = ("what do I pay for a remittance overseas", "my wallet was stolen", "how do I leave the bank for good")
"""Said with other words than the documents say it."""

_SYLLABLES = [consonant + vowel for consonant, vowel in product("bdfgklmnprtvz", "aeiou")]
_ENDINGS = {"id": "ab", "title": "uk", "heading": "ox", "text": "im", "source": "ad"}
SEARCHED = ("title", "heading", "text")
"""Parts whose words a document is found by; the others are only shown."""


@dataclass(frozen=True)
class Cell:
    """One combination of rights, and its document."""

    number: int
    visibility: str
    jurisdiction: str
    class_: str
    risk: str

    def canary(self, part: str) -> str:
        """A word that stands in this part of this document and nowhere else."""
        first, rest = divmod(self.number * 37 + 11, len(_SYLLABLES))
        return _SYLLABLES[(first * 7 + 3) % len(_SYLLABLES)] + _SYLLABLES[rest] + "v" + _ENDINGS[part]

    @cached_property
    def canaries(self) -> tuple[str, ...]:
        return tuple(map(self.canary, _ENDINGS))

    @property
    def id(self) -> str:
        return f"{self.canary('id')}-{self.number}"

    @property
    def title(self) -> str:
        return f"About {TOPICS[self.number % len(TOPICS)][0]}, {self.canary('title')}"

    @property
    def text(self) -> str:
        said = TOPICS[self.number % len(TOPICS)][1]
        return f"The {SHARED} says: {said} Those who want to know more ask for {self.canary('text')}."

    def written(self, folder: Path) -> Path:
        """As a file of this folder."""
        front = {
            "id": self.id, "title": self.title, "visibility": self.visibility, "jurisdiction": self.jurisdiction,
            "class": self.class_, "risk": self.risk,
        }  # fmt: skip
        lines = "\n".join(f"{key}: {value}" for key, value in front.items() if value)
        path = folder / f"{self.canary('source')}.md"
        path.write_text(f"---\n{lines}\n---\n# The matter of {self.canary('heading')}\n\n{self.text}\n", "utf-8")
        return path


@dataclass(frozen=True)
class Asker:
    """A role somewhere."""

    role: str
    where: str | None
    reads: frozenset[int] = field(compare=False)  #: numbers of cells

    def strangers(self) -> Iterator[Cell]:
        return (cell for cell in CELLS if cell.number not in self.reads)

    def own(self) -> Iterator[Cell]:
        return (cell for cell in CELLS if cell.number in self.reads)


def may_read(role: str, where: str | None, cell: Cell) -> bool:
    """By what the readers' file says at its top, and a country's word holding in its parts."""
    rights = ROLES[role]
    if where is None and rights.get("every_jurisdiction"):
        here = True
    else:
        here = cell.jurisdiction == "" or (where or "-") in (cell.jurisdiction, f"{cell.jurisdiction}-CA")
    return (
        here
        and cell.class_ in rights["classes"]
        and VISIBILITIES.index(cell.visibility) <= VISIBILITIES.index(rights["visibility"])
        and RISKS.index(cell.risk) <= RISKS.index(rights["risk"])
    )


CELLS = tuple(Cell(number, *cell) for number, cell in enumerate(product(VISIBILITIES, JURISDICTIONS, CLASSES, RISKS)))
ASKERS = tuple(
    Asker(role, where, frozenset(cell.number for cell in CELLS if may_read(role, where, cell)))
    for role, where in product(ROLES, WHEREABOUTS)
)
_OWNERS = {word: cell.number for cell in CELLS for word in cell.canaries}


class Away(embedders.WordLlama):
    """A model that does not answer."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise TryAgainError("It is away")


def strangers_in(answer: str, asker: Asker) -> list[str]:
    """Canaries of documents that this reader may not read."""
    said = answer.lower()
    return [word for word, number in _OWNERS.items() if number not in asker.reads and word in said]
