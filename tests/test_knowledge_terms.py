"""What the lexical index counts: words, pairs of characters, numbers and identifiers, in nine languages and four scripts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.kit.stopwords import STOP_WORDS
from harken.kit.terms import EXACT, EXACT_WEIGHT, LONGEST_TERM, bare, query_terms, terms


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Closing closed accounts", "en", ["close", "close", "account"]),
        ("Überweisungen für Größen", "de", ["uberweis", "fur", "gross"]),
        ("les opérations de l’eau", "fr", ["le", "oper", "de", "l", "eau"]),
        ("don't touch the bank's e-mail", "en", ["dont", "touch", "the", "bank", "e", "mail", "email"]),
        ("rachunki bankowe", "pl", ["rachunk", "bankow"]),
        ("東京都のカード", "ja", ["東京", "京都", "都の", "のカ", "カー", "ード"]),
        ("不", "zh", ["不"]),
        ("계좌 개설", "ko", ["계좌", "개설"]),
        ("Konto ＡＢＣ", "", ["konto", "abc"]),
    ],
)
def test_words(text: str, language: str, found: list[str]) -> None:
    assert terms(text, language) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ERR-1042", ["=err1042", "err", "1042"]),
        ("sku-77/A", ["=sku77a", "sku", "77"]),
        ("open_bank_accounts_4821", ["=openbankaccounts4821", "open", "bank", "account", "4821"]),
        ("user_id", ["=userid", "user", "id"]),
        ("v2.3.1", ["=v231", "2", "3", "1"]),
        ("113-1234567-12", ["=113123456712", "113", "1234567", "12"]),
        ("4839201", ["=4839201", "4839201"]),
    ],
)
def test_an_identifier_is_a_term_of_its_own_and_so_are_its_pieces(text: str, found: list[str]) -> None:
    assert terms(f"See {text}.", "en") == ["see", *found]


def test_signs_of_typesetting_are_those_of_the_keyboard() -> None:
    assert terms("ERR\u20111042 don\u2019t ac\u00adcount", "en") == terms("ERR-1042 don't account", "en")
    assert terms("état-major", "fr")[-1] == "etatmajor"


def test_a_full_memory_starts_anew_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = terms("one two three four one", "da")
    monkeypatch.setattr("harken.kit.terms.REMEMBERED_WORDS", 1)

    assert terms("one two three four one five", "da") == [*before, *terms("five", "da")]


def test_an_identifier_is_found_however_its_pieces_are_joined() -> None:
    assert terms("ERR-1042", "en")[0] == terms("err_1042", "en")[0] == terms("ERR1042", "de")[0]


@pytest.mark.parametrize("text", ["24/7", "1st", "5pm", "30d", "plain-words", "1,000", "2.5", "100k"])
def test_what_only_looks_like_an_identifier_is_none(text: str) -> None:
    assert not any(term.startswith(EXACT) for term in terms(text, "en"))


@pytest.mark.parametrize(
    ("a", "b", "language"),
    [("$1,000.50", "1000.50", "en"), ("35.00", "35", "en"), ("1.000,50", "1000,50", "de"), ("1.000", "1000", "es")],
)
def test_a_number_is_its_value(a: str, b: str, language: str) -> None:
    assert terms(a, language) == terms(b, language)


@pytest.mark.parametrize("token", ["[EMAIL_7kq3abcdefgh2]", "[EMAIL]", "[CARD_1]", "[PHONE_ab12]"])
def test_personal_data_that_was_replaced_gives_no_term(token: str) -> None:
    assert terms(f"write to {token}, please", "en") == terms("write to , please", "en")


def test_what_is_typed_without_accents_finds_what_is_written_with_them() -> None:
    assert set(terms("operacion", "es")) & set(terms("operación", "es"))
    assert set(terms("fur", "de")) & set(terms("für", "de"))


def test_stop_words_are_dropped_from_a_question_unless_it_has_nothing_else() -> None:
    assert query_terms("How do I close my account?", ("en",)) == {"close": 1.0, "account": 1.0}
    assert set(query_terms("How do I?", ("en",))) == {"how", "do", "i"}
    assert query_terms("", ("en",)) == {}


def test_a_question_of_uncertain_language_has_the_stems_of_each() -> None:
    both = query_terms("closing Überweisungen", ("en", "de"))

    assert set(both) >= set(query_terms("closing", ("en",))) | set(query_terms("Überweisungen", ("de",)))


def test_an_identifier_counts_more_than_a_word() -> None:
    asked = query_terms("What does err-1042 mean, err-1042?", ("en",))

    assert asked["=err1042"] == 2 * EXACT_WEIGHT
    assert asked["mean"] == 1.0


def test_stop_words_are_written_as_they_are_compared() -> None:
    assert [word for words in STOP_WORDS.values() for word in words if word != bare(word.casefold())] == []


@settings(deadline=None)
@given(st.text(), st.sampled_from(["en", "de", "fr", "ja", "hi", "tr", "xx", ""]))
def test_any_text_gives_short_terms_and_the_same_ones_again(text: str, language: str) -> None:
    found = terms(text, language)

    assert found == terms(text, language)
    assert all(0 < len(term) <= LONGEST_TERM + 1 for term in found)
    assert set(query_terms(text, (language,))) <= set(found)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abcdé019-_./'日本", min_size=1), max_size=8))
def test_the_terms_of_a_text_are_those_of_its_words(words: list[str]) -> None:
    assert terms(" ".join(words), "en") == [term for word in words for term in terms(word, "en")]
