"""Flink, a real one, between two topics of a real Kafka: killed midway, stopped and gone on with, it comes to the same."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from engines import cluster
from flink_cases import ROOT, Flow, command, flink_and_kafka, log_of, shuffled_with_copies, until
from profiles_events import Row, folded, pruned_bytes

from harken.profiles import fold, plan, stored
from harken.profiles.features import EVENT_FEATURES
from harken.profiles.keyed import Keeper

pytestmark = pytest.mark.flink

NEWEST = "CUSTOMER = plan_of(EVENT_FEATURES)"
ADDED, *FEWER = EVENT_FEATURES
OLDER = plan.plan_of(FEWER)


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Flow]:
    """Two task managers with a slot each, and nothing on the topics."""
    environment, kafka = flink_and_kafka(tmp_path / "kafka")
    with (
        kafka as broker,
        cluster.running(environment, tmp_path / "flink", task_managers=2, slots=1) as flink,
    ):
        ready = Flow(broker.bootstrap, tmp_path, flink)
        ready.make_topics()
        yield ready


def test_a_task_manager_is_killed_midway(flow: Flow) -> None:
    """The second half arrives while the job recovers. Every state that was ever sent is there once, in order."""
    rows = log_of(4_000, 200)
    sent = shuffled_with_copies(rows)
    half = len(sent) // 2
    flow.send(sent[:half])
    job = flow.submit()
    until(lambda: flow.state_of(job) == "RUNNING" and flow.received("profiles"))
    flow.send(sent[half : half + 500])
    flow.flink.task_managers[0].kill()
    flow.send([("web:1", "no event"), *sent[half + 500 :]])
    flow.flink.add_task_manager()
    until(lambda: folded_by(flow, job) == len(rows))

    assert flow.checkpoints(job)["restored"] >= 1
    assert {identity: state for identity, (_, state) in newest(flow).items()} == pruned_bytes(folded(rows))
    versions: dict[str | None, list[int]] = {}
    for key, value in flow.received("profiles"):
        assert (key, value["layout"]) == (value["identity"], Keeper(0).layout_name)
        versions.setdefault(key, []).append(value["version"])
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    assert [(value["outcome"], value["event"]) for _, value in flow.received("aside")] == [("unsuitable", "no event")]


def newest(flow: Flow) -> dict[str, tuple[int, bytes]]:
    """Identity -> version and state, as a reader of the compacted topic has them in the end."""
    return {value["identity"]: (value["version"], value["state"].encode()) for _, value in flow.received("profiles")}


def test_a_feature_was_added(flow: Flow, store_url: str) -> None:
    """Stopped with a savepoint, gone on with by the next version of Harken; then into PostgreSQL, twice."""
    rows = sorted(log_of(1_500, 60), key=lambda row: row["at"])
    earlier, later = rows[:900], rows[900:]
    flow.send(shuffled_with_copies(earlier))
    job = flow.submit(source=older_version(flow.folder / "older"))
    until(lambda: folded_by(flow, job) == len(earlier))
    assert {value["layout"] for _, value in flow.received("profiles")} == {Keeper(0, OLDER).layout_name}
    savepoint = flow.stop(job)
    job = flow.submit(savepoint=savepoint)
    until(lambda: any("another version of Harken. Start it anew" in why for why in flow.failures_of(job)))
    start_anew(flow)
    flow.send(shuffled_with_copies([*earlier[::10], *later]))
    until(lambda: folded_by(flow, job) == len(rows))

    states = newest(flow)
    assert {identity: state for identity, (_, state) in states.items()} == gone_on(earlier, later)
    assert flow.received("aside") == []
    assert into(store_url, flow) != "0 rows changed\n"
    assert into(store_url, flow, "--group", "another") == "0 rows changed\n"
    with psycopg.connect(store_url) as connection:
        found = connection.execute("SELECT identity, version, state FROM stream_profile").fetchall()
    assert {identity: (version, state.encode()) for identity, version, state in found} == states


def folded_by(flow: Flow, job: str) -> int:
    """How many events the states hold that can be read by now."""
    assert flow.state_of(job)
    return sum(version for version, _ in newest(flow).values())


def older_version(folder: Path) -> Path:
    """Harken's modules as they were before the first of the features was declared."""
    shutil.copytree(ROOT / "src" / "harken", folder / "harken", ignore=shutil.ignore_patterns("__pycache__"))
    declared = folder / "harken" / "profiles" / "plan.py"
    text = declared.read_text()
    assert text.count(NEWEST) == 1
    declared.write_text(text.replace(NEWEST, NEWEST.replace("EVENT_FEATURES", "EVENT_FEATURES[1:]")))
    return folder


def start_anew(flow: Flow) -> None:
    """A task manager keeps the modules that it has imported."""
    for process in list(flow.flink.task_managers):
        process.kill()
        process.wait()
        flow.flink.add_task_manager()


def gone_on(earlier: list[Row], later: list[Row]) -> dict[str, bytes]:
    """The old features as of the whole log, the new one of later events alone; untouched where nothing more came."""
    expected = {
        identity: stored.to_bytes(fold.prune(state, OLDER)) for identity, state in folded(earlier, OLDER).items()
    }
    whole, since = folded([*earlier, *later]), folded(later)
    place = plan.CUSTOMER.lanes[0].measures.index(plan.measure_of(ADDED))
    for identity, state in since.items():
        whole[identity][plan.ANY]["0"][place] = state[plan.ANY]["0"][place]
        expected[identity] = stored.to_bytes(fold.prune(whole[identity]))
    return expected


def into(url: str, flow: Flow, *words: str) -> str:
    words = ("--brokers", flow.brokers, "--topic", "profiles", "--until-now", "--database", url, *words)
    return command("upserts", *words).stdout


def test_what_has_no_end_cannot_stop_at_one() -> None:
    refused = command("run", "--local", "--from", "file:///savepoint", "--until-now", expected=(2,))

    assert "start afresh" in refused.stderr


def test_without_java_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(ROOT))

    assert command("set-up", expected=(1,)).stderr == "flink: Flink needs Java 17: none in JAVA_HOME or on the PATH.\n"
