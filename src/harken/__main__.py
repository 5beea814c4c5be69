"""`harken …` and `python -m harken …`."""

from harken.cli.running import run


def main() -> None:
    run()


if __name__ == "__main__":
    main()
