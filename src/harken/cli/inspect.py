"""`harken inspect`: what is read in messages, without keeping them."""

from pathlib import Path

import click

from harken.cli import printing


@click.command("inspect", short_help="Say what is read in each message of a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", metavar="NAME", default="", help="Which classifier. Default: HARKEN_CLASSIFIER.")
def command(file: Path, model: str) -> None:
    """One JSON line for each line of FILE, a JSON object with `id` and `text`: the language, how the customer feels, how
    soon somebody should look, what it is about and how sure that is, whether they want a person or speak of a regulator,
    where personal data stands, and whether the text looks like instructions to a machine. Read as the live path reads it;
    nothing is stored, nothing is sent.

    A line that holds no message is named on standard error, the rest is still printed, and the exit code is 1.
    """
    from harken import settings  # noqa: PLC0415  --help needs none of it
    from harken.bootstrap import classifiers  # noqa: PLC0415  as above
    from harken.flow import inspecting  # noqa: PLC0415  as above

    classifier = classifiers.classifier_of(settings.load(), model)
    broken = False
    for each in inspecting.inspect(file, classifier):
        if isinstance(each, inspecting.Broken):
            broken = True
            printing.as_json(each, err=True)
        else:
            printing.as_json(each)
    if broken:
        raise SystemExit(1)
