"""Sentences of our own in every language that is told apart; and Chinese beside Japanese, which share characters."""

import tomllib
from pathlib import Path

import pytest

from harken.intake.language import LANGUAGES, detect
from harken.kit import words

SENTENCES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("sentences_by_language.toml").read_text("utf-8")
)


def heard(text: str) -> str:
    return detect(text, words.split(text)).language


def test_each_language_has_sentences() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    assert all(len(set(sentences)) >= 10 for sentences in SENTENCES.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_hardly_ever_taken_for_another(language: str) -> None:
    """Unknown is no mistake, another language is: an answer would come in it."""
    found = [heard(sentence) for sentence in SENTENCES[language]]
    right = found.count(language)
    assert set(found) <= {language, "und"}
    assert right >= 0.9 * len(found), f"{language}: {right} of {len(found)}"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("退款", "zh"),
        ("手机号变更", "zh"),
        ("我在京都の店里刷卡失败，需要你们帮助处理退款", "zh"),
        ("返金できません", "ja"),
        ("ｶｰﾄﾞ利用不可", "ja"),
        ("予約変更", "ja"),
        ("決済が失敗 (error 402)", "ja"),
        ("Ich habe bei 東京 Sushi bezahlt, aber die Rechnung ist falsch", "de"),
        ("I paid at 東京寿司 and the bill is wrong, please help me", "en"),
    ],
)
def test_what_is_written_tells_chinese_from_japanese(text: str, language: str) -> None:
    assert heard(text) == language


def test_who_does_not_ask_for_chinese_hears_of_none() -> None:
    text = "我想退款"
    assert detect(text, words.split(text), ("en", "de")).language != "zh"
