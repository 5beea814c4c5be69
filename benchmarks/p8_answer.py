"""P8: our own time in one answered ticket, without a model, over a real server and its workers.

    python -m benchmarks.p8_answer [--json] [--tickets N]

One ticket after another, each answered before the next is opened. `acknowledged`: the whole POST over HTTP, which has the
acknowledgement in it. `answered`: from the ticket's being opened to the answer's being in the conversation, both by the server's
own clock: the worker is woken, looks, decides, words, judges, keeps, and delivers. The pause that lets a burst of
messages end (HARKEN_BURST_QUIET_S, 1.5 s) is set to 0 here: it waits for the customer, not for us.
Yardsticks of the same run: one committed row of this disk, and one hybrid search over HTTP.
"""

import argparse
import json
import os
import sys
import time
from datetime import datetime
from typing import Any
from urllib import request

from benchmarks import measure, p4_live, serving
from harken import bootstrap, settings
from harken.cli import demo_agent
from harken.cli.printing import Quiet

QUESTIONS = (
    "Up to which amount can I send an instant transfer?",
    "Where do I find my statements in the app?",
    "What do you charge when I pay by card in a currency that is not the euro?",
    "It does not work.",
    "I want to talk to a real person, please.",
)
LOOK_EVERY_S, ANSWERED_WITHIN_S = 0.1, 30
TARGET = "p95 <= 150 ms for our own part, acknowledgement <= 200 ms"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--tickets", type=int, default=200)
    given = asked.parse_args()
    os.environ["HARKEN_BURST_QUIET_S"] = "0"
    with measure.folder() as home:
        store = settings.load().model_copy(update={"home": home / "home"})
        with bootstrap.desk_of(store) as desk:
            demo_agent.add_handbook(desk, Quiet())
            assert desk.live
            disk_ms = p4_live.commit_ms(desk.live.database.url)
            figures = served(str(store.home), given.tickets)
    measure.show(
        "P8", {"target": TARGET, "one commit, ms (yardstick)": round(disk_ms, 2), **figures}, as_json=given.json
    )


def served(home: str, count: int) -> dict[str, Any]:
    port = serving.free_port()
    command = [sys.executable, "-m", "harken", "serve", "--port", str(port)]
    with serving.serving(command, port, home):
        first = one(port, 0)
        time.sleep(serving.WARM_UP_S)
        rows = [one(port, number) for number in range(1, count + 1)]
        search = [searched(port, number) for number in range(count)]
        metrics = sums(port)
    acknowledged, answered = zip(*rows, strict=True)
    return {
        "tickets": count,
        "first ticket after the start: acknowledged, answered, ms": [round(each) for each in first],
        "acknowledged, ms": shares(acknowledged),
        "opened -> answer in the conversation, ms": shares(answered),
        "of it, from looking to what is kept, mean ms": round(metrics["support_answer_seconds"], 1),
        "one hybrid search, ms (yardstick)": shares(search),
    }


def shares(took: Any) -> dict[str, float]:
    return serving.shares([(200, each) for each in took])


def one(port: int, number: int) -> tuple[float, float]:
    """Milliseconds to the acknowledgement, and to the answer."""
    question = QUESTIONS[number % len(QUESTIONS)]
    body = {"customer_id": f"bench-{number}", "subject": "A question", "description": question, "channel": "chat"}
    began = time.perf_counter()
    ticket = ask(port, "/api/v1/tickets", body)
    acknowledged = (time.perf_counter() - began) * 1000
    late = began + ANSWERED_WITHIN_S
    while not (answers := ask(port, f"/api/v1/tickets/{ticket['id']}")["answers"]):
        if time.perf_counter() > late:
            raise SystemExit(f"Ticket {ticket['number']} was not answered within {ANSWERED_WITHIN_S} s.")
        time.sleep(LOOK_EVERY_S)
    opened, told = (datetime.fromisoformat(each) for each in (ticket["created_at"], answers[0]["at"]))
    return acknowledged, (told - opened).total_seconds() * 1000


def searched(port: int, number: int) -> float:
    began = time.perf_counter()
    ask(port, "/api/v1/knowledge/search", {"query": f"{QUESTIONS[number % len(QUESTIONS)]} {number}"})
    return (time.perf_counter() - began) * 1000


def ask(port: int, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    wanted = request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    with request.urlopen(wanted, timeout=ANSWERED_WITHIN_S) as answer:
        return json.loads(answer.read())


def sums(port: int) -> dict[str, float]:
    """Histogram -> its mean in milliseconds."""
    with request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ANSWERED_WITHIN_S) as answer:
        lines = answer.read().decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    names = [name.removesuffix("_sum") for name in told if name.endswith("_sum")]
    return {name: float(told[f"{name}_sum"]) / max(1.0, float(told[f"{name}_count"])) * 1000 for name in names}


if __name__ == "__main__":
    main()
