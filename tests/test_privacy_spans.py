"""Links, mentions and tags, and the words that are left without them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.kit.spans import clean, find_spans


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("@bank it broke", [("@bank", "mention")]),
        (".@bank, @115712's", [("@bank", "mention"), ("@115712", "mention")]),
        ("ada@example.org, a@@b, @ home", []),
        ("#help #2017 #1st ##x C#minor &#39;", [("#help", "tag"), ("#1st", "tag")]),
        ("see https://t.example/aB1.", [("https://t.example/aB1", "url")]),
        ("(see HTTP://x.example/a_(b))!", [("HTTP://x.example/a_(b)", "url")]),
        ("www.example.org/x#part, then", [("www.example.org/x#part", "url")]),
        ('<a href="https://x.example/?a=1&b=@c">', [("https://x.example/?a=1&b=@c", "url")]),
        ("which http www. xhttps://no", []),
        ("＠bank ＃助けて", [("＠bank", "mention"), ("＃助けて", "tag")]),
        ("http://...", [("http://", "url")]),
        ("plain words", []),
        ("", []),
    ],
)
def test_found(text: str, spans: list[tuple[str, str]]) -> None:
    assert [(text[start:end], kind) for start, end, kind in find_spans(text)] == spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@bank  my #card\nis gone https://t.example/aB1", "my card is gone"),
        ("fish &amp; chips &lt;3 &#39;ok&#39;", "fish & chips <3 'ok'"),
        ("AT&T @att\u00a0&nbsp; ok", "AT&T ok"),
        ("a@bank.example stays", "a@bank.example stays"),
        ("one@@two", "one@@two"),
        ("@only", ""),
    ],
)
def test_clean(text: str, words: str) -> None:
    assert clean(text, find_spans(text)) == words


pieces = st.sampled_from(
    ["@", "#", "http://", "www.", "h", "w", "a", "1", ".", ")", "(", " ", "\n", "&amp;", "é", "＠"]
)


@given(st.lists(pieces, max_size=25).map("".join))
def test_spans_are_sorted_apart_and_not_empty(text: str) -> None:
    past = 0
    for start, end, kind in find_spans(text):
        assert past <= start < end <= len(text)
        assert kind in {"url", "mention", "tag"}
        past = end
    words = clean(text, find_spans(text))
    assert words == " ".join(words.split())
