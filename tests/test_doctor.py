"""What `harken doctor` finds, and how it says it."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from journey import Ended, harken

from harken.adapters.warehouses.clickhouse import address

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HARKEN_MASTER_KEY", KEY)
    return tmp_path / "home"


def checks(ended: Ended) -> dict[str, tuple[bool, str]]:
    assert list(ended.json) == ["checks"]
    for check in ended.json["checks"]:
        assert list(check) == ["name", "ok", "detail"]
        assert "\n" not in check["detail"]
    return {check["name"]: (check["ok"], check["detail"]) for check in ended.json["checks"]}


def test_all_is_well(either_town_url: str) -> None:
    ended = harken("doctor", "--store", either_town_url, "--json")
    found = checks(ended)

    assert ended.code == 0
    assert list(found) == ["python", "disk", "store", "master key", "policy", "engines", "writer", "embedder"]
    assert all(ok for ok, _ in found.values())
    assert "11 events of 5 customers" in found["store"][1]
    assert "offline" in found["writer"][1]
    assert "polars" in found["engines"][1]


STORES = {
    "town_url": r"your PostgreSQL, \d+\.\d+, pgvector 0\.\d+\.\d+, migrations applied: \d+, 11 events of 5 customers",
    "clickhouse_town_url": r"your ClickHouse at 127\.0\.0\.1, \d+(\.\d+)+, migrations applied: \d+, 11 events of 5 customers",
}


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_described(store: str, request: pytest.FixtureRequest) -> None:
    found = checks(harken("doctor", "--store", request.getfixturevalue(store), "--json"))

    assert re.fullmatch(STORES[store], found["store"][1])


def test_an_embedded_clickhouse_is_described(tmp_path: Path) -> None:
    found = checks(harken("doctor", "--store", f"chdb://{tmp_path}/here", "--json"))

    assert found["store"][0]
    assert found["store"][1].startswith(f"embedded ClickHouse in {tmp_path}/here, ")
    assert "0 events of 0 customers" in found["store"][1]


def test_somebodys_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    found = checks(harken("doctor", "--store", f"chdb://{tmp_path}/mine", "--json"))

    assert not found["store"][0]
    assert "holds something else" in found["store"][1]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.fixture
def named(clickhouse_town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ClickHouse by the names that people have in their environment."""
    server = address.read(clickhouse_town_url)
    assert isinstance(server, address.Server)
    for name in ("host", "port", "user", "password", "database"):
        monkeypatch.setenv(f"CLICKHOUSE_{name.upper()}", str(getattr(server, name)))


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("beside", [[], ["SUPABASE_URL"]])
def test_a_clickhouse_by_its_host_is_the_store(beside: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in beside:
        monkeypatch.setenv(name, "https://abc.supabase.co")
    ended = harken("doctor", "--json")

    assert ended.code == 0
    assert "your ClickHouse at 127.0.0.1" in checks(ended)["store"][1]
    assert "11 events" in checks(ended)["store"][1]
    assert "hush" not in ended.out + ended.err


@pytest.mark.usefixtures("named")
def test_a_url_comes_before_a_host(town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_option = checks(harken("doctor", "--store", town_url, "--json"))
    monkeypatch.setenv("DATABASE_URL", town_url)
    by_setting = checks(harken("doctor", "--json"))

    assert "your PostgreSQL" in by_option["store"][1]
    assert "your PostgreSQL" in by_setting["store"][1]


@pytest.mark.parametrize(
    ("module", "extra"), [("pandas", "pandas"), ("chdb", "clickhouse"), ("clickhouse_connect", "clickhouse")]
)
def test_an_extra_that_is_missing_is_named(
    module: str, extra: str, town_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    found = checks(harken("doctor", "--store", town_url, "--json"))

    assert f"pip install 'harken[{extra}]'" in found["engines"][1]


WITHOUT_CHDB = "import sys; sys.path.insert(0, '.'); sys.modules |= {}; from harken.cli.running import run; run()"


@pytest.mark.parametrize(
    ("modules", "said"),
    [("{'chdb': None}", "pip install 'harken[clickhouse]'"), ("{}", "did not load, or was interrupted")],
    ids=["missing", "broken"],
)
def test_an_engine_that_does_not_load(modules: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "chdb.py").write_text("raise ImportError('initialization failed')")
    command = [sys.executable, "-c", WITHOUT_CHDB.format(modules), "doctor", "--store", f"chdb://{tmp_path}/here"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    [line] = [line for line in ended.stdout.splitlines() if line.startswith("NO")]

    assert ended.returncode == 1
    assert line.startswith("NO  store: ")
    assert said in line
    assert ended.stderr == ""


def test_in_words(town_url: str) -> None:
    ended = harken("doctor", "--store", town_url)

    assert ended.code == 0
    assert [line[:3] for line in ended.out.splitlines()] == ["ok "] * 8


def test_what_does_not_work_is_said_and_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("off = 3")
    monkeypatch.setenv("HARKEN_POLICY", str(policy))
    monkeypatch.setenv("HARKEN_MASTER_KEY", "HUSH")
    ended = harken("doctor", "--store", "mysql://u:HUSH@h/d", "--json")
    found = checks(ended)

    assert ended.code == 1
    assert {name for name, (ok, _) in found.items() if not ok} == {"store", "master key", "policy"}
    assert "HUSH" not in ended.out + ended.err
    assert "NO  store" in harken("doctor", "--store", "mysql://h").out


def test_another_master_key_is_found(town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    harken("doctor", "--store", town_url)
    assert harken("predict", "--store", town_url).code == 0
    monkeypatch.setenv("HARKEN_MASTER_KEY", base64.b64encode(bytes(32)).decode())
    found = checks(harken("doctor", "--store", town_url, "--json"))

    assert found["store"][0]
    assert not found["master key"][0]
    assert "another master key" in found["master key"][1]


def test_a_redis_that_is_down_is_said(town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:HUSH@127.0.0.1:9")
    ended = harken("doctor", "--store", town_url, "--json")

    assert checks(ended)["Redis"] == (False, "Redis at 127.0.0.1 does not answer (ConnectionError)")
    assert "HUSH" not in ended.out


def test_an_embedder_that_is_not_ready_is_said(town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = checks(harken("doctor", "--store", town_url, "--json"))
    monkeypatch.setenv("HARKEN_EMBEDDER", "minilm")
    after = checks(harken("doctor", "--store", town_url, "--json"))

    assert before["embedder"] == (True, "wordllama: part of the installation")
    assert after["embedder"] == (False, "minilm: harken models fetch minilm")


def test_the_models_are_named_in_order(town_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "HUSH")
    found = checks(harken("doctor", "--store", town_url, "--json"))

    assert found["writer"][1].startswith("Anthropic, then OpenAI, then offline; at most 5 USD a day")


def test_a_supabase_url_alone_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://abc.supabase.co")
    found = checks(harken("doctor", "--json"))

    assert not found["store"][0]
    assert "HARKEN_DATABASE_URL" in found["store"][1]


def test_a_key_in_a_file_is_to_be_backed_up(town_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARKEN_MASTER_KEY")
    home.mkdir()
    (home / "master.key").write_text(KEY)
    (home / "master.key").chmod(0o600)
    found = checks(harken("doctor", "--store", town_url, "--json"))

    assert found["master key"][0]
    assert "back it up" in found["master key"][1]
