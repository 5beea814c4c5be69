"""`harken …` and `python -m harken …`."""


def main() -> None:
    from harken.cli.running import run  # noqa: PLC0415  every worker process imports this file, and runs no command

    run()


if __name__ == "__main__":
    main()
