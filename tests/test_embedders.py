"""WordLlama: texts become vectors whose inner product says how close they are, without its package and without a network."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import wordllama as package

from harken.adapters.embedders import WordLlama
from harken.adapters.embedders.wordllama import TOKENIZER, WEIGHTS

TEXTS = (
    "My card has been charged twice, please refund me.",
    "Where is my refund for the duplicate charge?",
    "The app crashes when I open the camera",
    "Können Sie meine Rechnung nochmals senden? 請退款 🙏",
    "x",
)


def test_wordllama_finds_the_paraphrase() -> None:
    found = WordLlama().embed(TEXTS)

    assert found.shape == (5, 256)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2


def test_wordllama_says_what_its_package_says() -> None:
    theirs = package.WordLlama.load(cache_dir=Path(package.__file__).parent, disable_download=True)

    ours = WordLlama().embed(TEXTS)

    assert np.abs(ours - theirs.embed(list(TEXTS), norm=True)).max() < 1e-6


def test_wordllama_has_the_name_of_these_weights() -> None:
    """Other weights need another name: vectors of two models are never compared."""
    folder = Path(package.__file__).parent
    known = [hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12] for name in (WEIGHTS, TOKENIZER)]

    assert (WordLlama().model, known) == ("wordllama-l2-supercat-256@0.4.0", ["64b47a2dc493", "93248f2a9ec3"])


@pytest.mark.parametrize("text", ["", "   ", "?!", "👍", "\n\t"])
def test_a_text_without_a_word_has_no_direction(text: str) -> None:
    found = WordLlama().embed([text, "hello"])

    assert not found[0].any()
    assert np.linalg.norm(found[1]) == pytest.approx(1)


def test_no_text_is_no_row() -> None:
    assert WordLlama().embed([]).shape == (0, 256)


def test_half_a_character_is_a_character_that_nobody_knows() -> None:
    assert np.array_equal(WordLlama().embed(["refund \ud83d now"]), WordLlama().embed(["refund � now"]))


def test_a_book_is_the_mean_of_its_words() -> None:
    page = "where is my refund, it has been weeks. "
    some, whole = WordLlama().embed([page * 100, page * 4000])

    assert some @ whole == pytest.approx(1, abs=1e-3)


def test_a_text_has_the_same_vector_alone_and_among_thousands() -> None:
    among = [*TEXTS, *(f"order {number} is late" for number in range(3000))]

    assert np.array_equal(WordLlama().embed(among)[:5], WordLlama().embed(TEXTS))


def test_threads_share_one_wordllama() -> None:
    embedder = WordLlama()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(embedder.embed, [TEXTS] * 64))

    assert all(np.array_equal(each, found[0]) for each in found)


def test_wordllama_imports_neither_its_package_nor_a_hub() -> None:
    code = (
        "import sys; from harken.adapters.embedders import WordLlama; before = set(sys.modules);"
        "assert 'tokenizers' not in before; WordLlama().embed(['hello']);"
        "print(sorted({'wordllama', 'huggingface_hub', 'requests', 'torch'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
