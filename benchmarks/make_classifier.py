"""The default classifier is fitted again on our exemplars: after a change to them or to how a classifier is fitted.

python -m benchmarks.make_classifier
"""

from harken.adapters.embedders import WordLlama
from harken.classify import shipped


def main() -> None:
    shipped.write(WordLlama())
    print(f"Wrote {shipped.FOLDER.name}/: {sum(path.stat().st_size for path in shipped.FOLDER.iterdir()):,} bytes.")


if __name__ == "__main__":
    main()
