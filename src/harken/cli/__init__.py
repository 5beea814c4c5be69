"""The commands: parse, call one sentence, print. One small file a group, imported when it is used."""

from importlib import import_module

import click

from harken import __version__

_COMMANDS = {
    "demo": "See the whole main job on a made-up bank: two weeks of conversations, decided and explained.",
    "ingest": "Take interactions in: check, thread and store them, and bring the profiles up to date.",
    "predict": "Choose the next best action for every customer with an open issue.",
    "profile": "Look at a customer's profile, or rebuild and check all of them.",
    "ask": "Ask as a customer, and see the answer with everything behind it.",
    "evaluate": "Ask labelled questions, and say how good the answers are.",
    "knowledge": "Take documents in, search them as anyone may, and measure the search.",
    "schema": "Look at the types of events and their versions, and check what a version breaks.",
    "inspect": "Say what is read in each message of a file: language, feeling, urgency, matter, personal data, injection.",
    "train": "Fit the classifier to your own labels, with a report on messages that it had not seen.",
    "tail": "Follow events as they arrive, with what each changed of its customer's profile.",
    "serve": "Serve the HTTP interface, the chat and the documentation, with workers beside them.",
    "token": "Make keys and tokens of our own, and take a token back.",
    "work": "Answer tickets, deliver and seal; or take in what lies in a Kafka topic.",
    "audit": "Verify, prove and export what was done; nobody can change it unseen.",
    "replay": "Make recorded answers again, and name what differs.",
    "models": "List the models that turn texts into vectors; fetch the better one.",
    "doctor": "Say what is configured, what answers, and what works less well without it.",
}


class _Lazily(click.Group):
    """Imports a command's file when it is called, so that --help costs next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"harken.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazily, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="harken")
def main() -> None:
    """Harken turns what customers say into the next best action, explained and on record.

    Start with `harken demo`: it needs no key and no server.
    """
