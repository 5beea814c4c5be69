"""What any screen would fetch, run, hide or re-order is seen, and a safe text has none of it."""

from random import Random

import pytest
from examples import tries
from hostile_markup import CONSTRUCTS
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.guard.content import is_indecent
from harken.guard.render import is_disguised, is_safe, safe

ORDINARY = (
    "A transfer costs 2.50 EUR (3 % at weekends) & takes 2–3 days; see https://larkbank.example/fees.",
    "1. Open the app. 2. Press “Cards”. 3. Choose * or #.",
    "5 < 7 and 9 > 8, a = b + c, 100 % sure: yes!",
    "Grüße aus Köln, año, naïve façade, 日本語のメッセージです。「はい」",
    "👩‍💻 👍🏽 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 3️⃣",
    "می‌خواهم کارت بگیرم",
    "Q: how much? A: 5 EUR [as of today]\n- one\n- two",
    "kΩ and µm, Ελλάδα, Россия",
)
AROUND = ("{}", "Hello {} there", "{}\n", "\n\n{}", "«{}»", "1. {}", "- {}", "> {}", "{} {}", "Thanks.{}")


def mutated(construct: str, dice: Random) -> str:
    """Another case, spaces where readers skip them, encodings that a reader undoes, words around it."""
    changes = (
        str.upper,
        str.title,
        lambda text: text.replace("(", " (") if text.startswith("<") else text,
        lambda text: text.replace("<", "< ") if dice.random() < 0.3 else text,
        lambda text: text.replace("<", "%3C").replace(">", "%3E"),
        lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c in "<>`[](){}!" else c for c in text),
        lambda text: text.replace("evil.example", f"h{dice.randrange(10**6)}.example"),
        lambda text: text.replace(":", " :", 1) if text.lower().startswith(("java", "vb")) else text,
        lambda text: text,
    )
    around = dice.choice(AROUND if construct[0] not in "=@" else ("{}", "\n\n{}"))  # a formula begins its line
    return around.replace("{}", dice.choice(changes)(construct))


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_a_construct_is_seen_and_made_harmless(construct: str) -> None:
    assert not is_safe(construct)
    assert is_safe(safe(construct)), safe(construct)


def test_none_of_five_thousand_mutants_is_left_alive() -> None:
    dice = Random(20261122)
    mutants = [mutated(dice.choice(CONSTRUCTS), dice) for _ in range(5000)]

    assert [mutant for mutant in mutants if is_safe(mutant)] == []
    assert [mutant for mutant in mutants if not is_safe(safe(mutant))] == []


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_safe_and_stays_as_it_is(text: str) -> None:
    assert is_safe(text)
    assert safe(text) == text


@settings(max_examples=tries(400), deadline=None)
@given(
    st.text(alphabet=st.characters() | st.sampled_from("<>[]()!`&;:%{}$#\\/=+-@\u200d\ufe0f\x1b\u202e"), max_size=120)
)
def test_a_safe_text_is_safe_and_making_it_safe_again_changes_nothing(text: str) -> None:
    once = safe(text)

    assert is_safe(once)
    assert safe(once) == once


def test_words_of_two_alphabets_are_a_disguise() -> None:
    assert is_disguised("pаypal")
    assert not is_disguised("Привет Anna, kΩ")


@pytest.mark.parametrize(
    "text",
    [
        "You idiot",
        "f u c k off",
        "y0u m0r0n",
        "SHIIIIT",
        "ѕhit",
        "Arschloch!",
        "vaffanculo",
        "死ね",
        "kill yourself",
        "f*u*c*k",
    ],
)
def test_indecent_words_are_found_behind_their_disguises(text: str) -> None:
    assert is_indecent(text)


@pytest.mark.parametrize(
    "text",
    ["Scunthorpe and Essex", "the assessment of class assets", "Dick Cheney drinks cocktails", "Bitte das Passwort eingeben", "je suis en retard",
        "a Japanese shiitake", "Press F, U, C or K", "the cunning analyst", "Kys betyder noget andet", "I got the pic", "Nous avons cinq reputations"],
)  # fmt: skip
def test_harmless_words_are_not(text: str) -> None:
    assert not is_indecent(text)
