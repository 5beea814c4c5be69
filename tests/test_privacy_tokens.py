"""Laws of hiding: it comes back whole, twice is once, and a customer's own words are never taken for a token."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from examples import tries
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harken.privacy import tokens
from harken.privacy.scanner import scan
from harken.privacy.tokens import Hidden, Pseudonyms

pieces = st.sampled_from(
    [
        "ada@example.org",
        "[EMAIL_1]",
        "[LITERAL_1]",
        "[EMAIL_",
        "_1]",
        "[",
        "]",
        "1",
        " ",
        "hello",
        "@115712",
        "415-555-2671",
        "[x_9]",
    ]
)
texts = st.lists(pieces, max_size=12).map("".join) | st.text(max_size=60)


def hide(text: str, book: Pseudonyms) -> Hidden:
    return tokens.hide(text, scan(text), book)


@settings(max_examples=tries(300))
@example(["[EMAIL_1] ada@example.org", "[EMAIL_1]"])
@given(st.lists(texts, max_size=4))
def test_what_was_hidden_comes_back(bundle: list[str]) -> None:
    book = Pseudonyms()
    hidden = [hide(text, book) for text in bundle]
    assert [tokens.reveal(text, book) for text in hidden] == bundle
    assert [tokens.unknown_tokens(text, book) for text in hidden] == [()] * len(bundle)


@given(texts)
def test_hiding_twice_is_hiding_once(text: str) -> None:
    book = Pseudonyms()
    once = hide(text, book)
    assert hide(once, book) == once


def test_the_same_value_has_the_same_token_in_the_whole_bundle() -> None:
    book = Pseudonyms()
    assert hide("ada@example.org, bo@example.org", book) == "[EMAIL_1], [EMAIL_2]"
    assert hide("bo@example.org called 415-555-2671", book) == "[EMAIL_2] called [PHONE_1]"


def test_a_customer_who_writes_a_token_is_told_nobody_elses_value() -> None:
    book = Pseudonyms()
    hide("ada@example.org", book)
    hidden = hide("what is [EMAIL_1]?", book)
    assert hidden == "what is [LITERAL_1]?"
    assert tokens.reveal(hidden, book) == "what is [EMAIL_1]?"


def test_tokens_that_a_model_made_up_are_reported() -> None:
    book = Pseudonyms()
    hide("ada@example.org", book)
    answer = "Write to [EMAIL_1], [EMAIL_7] or [phone_1], again [EMAIL_7]"
    assert tokens.unknown_tokens(answer, book) == ("[EMAIL_7]", "[phone_1]")
    assert tokens.reveal(answer, book) == "Write to ada@example.org, [EMAIL_7] or [phone_1], again [EMAIL_7]"


def test_a_book_can_be_kept_and_shows_nothing() -> None:
    book = Pseudonyms()
    hide("ada@example.org", book)
    again = Pseudonyms(dict(book.values))
    assert hide("ada@example.org bo@example.org", again) == "[EMAIL_1] [EMAIL_2]"
    assert "ada" not in repr(book)


def test_one_way() -> None:
    text = "I'm Jane Doe, ada@example.org, 415-555-2671!"
    assert tokens.redact(text, scan(text)) == "I'm [NAME], [EMAIL], [PHONE]!"


def test_nothing_personal_reaches_a_log() -> None:
    line = {
        "event": "reply_blocked",
        "customer": "twitter:115712",
        "count": 3,
        "cost_usd": 0.5,
        "at": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        "path": Path("/data/ada@example.org"),
        "error": ValueError("no such user ada@example.org"),
        "nested": {"ada@example.org": ["ada@example.org", ("call 415-555-2671", None)]},
        "raw": b"ada@example.org",
        "sent": True,
    }
    assert tokens.log_processor(logging.getLogger(), "info", line) == {
        "event": "reply_blocked",
        "customer": "twitter:115712",
        "count": 3,
        "cost_usd": 0.5,
        "at": "2024-01-02 03:04:05+00:00",
        "path": "/data/[EMAIL]",
        "error": "no such user [EMAIL]",
        "nested": {"[EMAIL]": ["[EMAIL]", ["call [PHONE]", None]]},
        "raw": "15 bytes",
        "sent": True,
    }


def test_a_log_value_that_holds_itself_ends() -> None:
    loop: list[object] = ["ada@example.org"]
    loop.append(loop)
    assert "ada" not in repr(tokens.redact_for_log(loop))
