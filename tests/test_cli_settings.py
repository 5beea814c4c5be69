"""Where data lives: settings, stores and keys that do not fit are one line, without a secret."""

import base64
from pathlib import Path

import psycopg
import pytest
from cli_cases import KEY, free_port, home_of_its_own  # noqa: F401  a fixture among them
from journey import MASTER, TOWN, derived, harken, write_csv


def test_a_settings_file_in_the_working_folder_is_read(town_url: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"HARKEN_DATABASE_URL={town_url}\nSOMEBODY_ELSES=1\n")

    assert harken("profile", "show", "400", "--json").json["events"] == 2


def test_a_settings_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"WORKERS=\xff\xfe")

    assert ".env" in harken("predict").refusal


def test_a_setting_that_does_not_fit_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", "SECRET-1")
    refusal = harken("predict").refusal

    assert "WORKERS" in refusal
    assert "SECRET" not in refusal


def test_a_supabase_url_alone_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://abc.supabase.co")
    refusal = harken("predict").refusal

    assert "HARKEN_DATABASE_URL" in refusal
    assert "Postgres URL" in refusal


@pytest.mark.parametrize("url", ["mysql://root:SECRET@localhost/x", "https://abc.example/SECRET", "SECRET"])
def test_a_store_that_is_no_postgresql(url: str) -> None:
    refusal = harken("predict", "--store", url).refusal

    assert "postgresql://" in refusal
    assert "SECRET@" not in refusal


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = harken("predict", "--store", f"postgresql://user:SECRET@127.0.0.1:{free_port()}/x").refusal

    assert "SECRET" not in refusal


def test_a_wrong_password_is_one_line_without_it(store_url: str) -> None:
    wrong = store_url.replace(psycopg.conninfo.conninfo_to_dict(store_url)["password"], "SECRET")  # type: ignore[arg-type]

    assert "SECRET" not in harken("predict", "--store", wrong).refusal


def test_another_master_key_is_refused_and_nothing_changes(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_ENGINE", "polars")  # quickest with a handful of rows
    path = write_csv(tmp_path / "town.csv", TOWN)
    harken("ingest", path, "--store", store_url)
    before = derived(store_url)
    monkeypatch.setenv("HARKEN_MASTER_KEY", base64.b64encode(bytes(32)).decode())

    for command in (["ingest", path], ["predict"], ["profile", "rebuild"]):
        assert "another master key" in harken(*command, "--store", store_url).refusal
    assert derived(store_url) == before
    assert repr(MASTER) == "MasterKey(hidden)"


def test_a_key_file_that_others_may_read_is_refused(
    store_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_MASTER_KEY")
    (home / "home").mkdir()
    (home / "home" / "master.key").write_text(KEY)
    (home / "home" / "master.key").chmod(0o644)

    assert "chmod 600" in harken("predict", "--store", store_url).refusal
