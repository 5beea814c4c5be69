"""What leaving out what does not matter saves of a prompt, on the questions to the made-up bank and its handbook.

    python -m benchmarks.q_prompts_demo [--json]

Each question is a ticket of its own, with everything that its answer may look at. Before: the summary, the whole profile, all turns and
the same passages whole. After: what a model is shown. The instructions, which a provider keeps, count in neither.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from importlib import resources
from pathlib import Path

from benchmarks import measure
from harken import bootstrap
from harken.adapters.writers import live_prompt
from harken.cli import demo_agent
from harken.cli.printing import Quiet
from harken.domain.event import Channel
from harken.flow import gathering, ticketing
from harken.flow.desk import Desk
from harken.flow.think import decided
from harken.flow.ticketing import Asked
from harken.kit.tokens import estimated_tokens
from harken.settings import Settings


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    with ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        desk = ends.enter_context(bootstrap.desk_of(Settings(_env_file=None, home=home)))
        demo_agent.add_handbook(desk, Quiet())
        figures = saved(desk)
    measure.show("prompts of the demo bank", figures, as_json=given.json)


def saved(desk: Desk) -> dict[str, float]:
    """Tokens on average, and the share that is left out."""
    assert desk.agent
    assert desk.tickets
    agent, sizes = replace(desk.agent, asks_models=True), list[tuple[int, int]]()
    lines = resources.files("harken.cli").joinpath(demo_agent.QUESTIONS).read_text("utf-8").splitlines()
    for place, line in enumerate(lines):
        text = json.loads(line)["text"]
        wanted = Asked(
            customer=f"asks-{place}", subject=text[:40], description=text, channel=Channel.CHAT, verified=True
        )
        seen = gathering.gather(ticketing.open(wanted, desk.tickets).ticket.id, agent)
        if seen is not None and seen.context.passages:
            prompt = live_prompt.compose(decided(seen.context, agent.policy), seen.context, Settings().history_tokens)
            after = estimated_tokens(prompt.user)
            sizes.append((after + prompt.saved, after))
    before, after = (sum(column) / len(sizes) for column in zip(*sizes, strict=True))
    return {
        "prompts": len(sizes),
        "tokens before": round(before),
        "tokens after": round(after),
        "saved": round(1 - after / before, 3),
    }


if __name__ == "__main__":
    main()
