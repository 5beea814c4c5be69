"""Sentences of our own in fourteen languages: how many are read as what they are, as another language, as none.

python -m benchmarks.q_language [--json]
"""

import argparse
import time
import tomllib
from collections import Counter

from benchmarks import measure
from harken.intake.language import LANGUAGES, UNKNOWN, detect
from harken.kit import words

SENTENCES = measure.ROOT / "tests" / "sentences_by_language.toml"
TIMES = 20


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    corpus = {
        (language, text): words.split(text)
        for language, texts in tomllib.loads(SENTENCES.read_text("utf-8")).items()
        for text in texts
    }
    detect("warm", ["warm"])
    began = time.perf_counter()
    for _ in range(TIMES):
        heard = {(language, text): detect(text, split).language for (language, text), split in corpus.items()}
    each_us = (time.perf_counter() - began) / TIMES / len(corpus) * 1_000_000
    right = Counter(said for (said, _), read in heard.items() if said == read)
    figures = {
        "sentences": len(corpus),
        "right": sum(right.values()),
        "unknown": sum(read == UNKNOWN for read in heard.values()),
        "another_language": sum(read not in (said, UNKNOWN) for (said, _), read in heard.items()),
        "by_language": {each: f"{right[each]}/{sum(said == each for said, _ in corpus)}" for each in LANGUAGES},
        "microseconds_each": round(each_us),
    }
    measure.show("q_language", figures, as_json=given.json)


if __name__ == "__main__":
    main()
