"""Every name that people have in their environment is understood, and nothing secret is shown."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from harken import bootstrap, settings
from harken.adapters.warehouses.clickhouse import address
from harken.adapters.warehouses.clickhouse.address import Server
from harken.errors import UnsuitableError

NAMES = [
    ("DATABASE_URL", "database_url", "postgresql://u:p@h/d"),
    ("SUPABASE_URL", "supabase_url", "https://abc.supabase.co"),
    ("SUPABASE_KEY", "supabase_key", "sb-key"),
    ("CLICKHOUSE_HOST", "clickhouse_host", "ch.internal"),
    ("CLICKHOUSE_PORT", "clickhouse_port", 9440),
    ("CLICKHOUSE_USER", "clickhouse_user", "reader"),
    ("CLICKHOUSE_PASSWORD", "clickhouse_password", "hush"),
    ("CLICKHOUSE_DATABASE", "clickhouse_database", "support"),
    ("DATA_ENGINE", "data_engine", "polars"),
    ("SPARK_MASTER", "spark_master", "spark://head:7077"),
    ("REDIS_URL", "redis_url", "redis://:hush@h"),
    ("ANTHROPIC_API_KEY", "anthropic_api_key", "sk-ant"),
    ("OPENAI_API_KEY", "openai_api_key", "sk-oai"),
    ("AZURE_OPENAI_API_KEY", "azure_openai_api_key", "az"),
    ("AZURE_OPENAI_ENDPOINT", "azure_openai_endpoint", "https://n.openai.azure.com"),
    ("AZURE_OPENAI_DEPLOYMENT_NAME", "azure_openai_deployment", "mini"),
    ("LLM_TEMPERATURE", "llm_temperature", 0.2),
    ("MAX_TOKENS", "max_tokens", 500),
    ("MAX_CONCURRENT_REQUESTS", "max_concurrent_requests", 3),
    ("WORKERS", "workers", 2),
    ("LOG_LEVEL", "log_level", "INFO"),
    ("PIP_INDEX_URL", "package_index", "https://me:hush@index/simple"),
    ("UV_DEFAULT_INDEX", "package_index", "https://index/simple"),
    ("HARKEN_EMBEDDINGS_URL", "embeddings_url", "http://[::1]:8000/v1"),
    ("HARKEN_RERANK_URL", "rerank_url", "https://rerank.internal/v1"),
]


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.mark.parametrize(("name", "field", "value"), NAMES)
def test_the_usual_names_are_understood(name: str, field: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    default = plain(getattr(settings.load(), field))
    monkeypatch.setenv(name, str(value))

    assert plain(getattr(settings.load(), field)) == value != default


@pytest.mark.parametrize(("name", "field", "value"), NAMES)
def test_a_file_will_do(name: str, field: str, value: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{name}={value}\n")

    assert plain(getattr(settings.load(), field)) == value


def test_our_own_name_and_the_environment_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("HARKEN_WORKERS=2\nHARKEN_BLOCK_ROWS=200\n")
    monkeypatch.setenv("WORKERS", "4")
    monkeypatch.setenv("HARKEN_WORKERS", "3")
    monkeypatch.setenv("HARKEN_BLOCK_ROWS", "300")

    assert (settings.load().workers, settings.load().block_rows) == (3, 300)


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in NAMES:
        monkeypatch.setenv(name, "")

    assert settings.load() == settings.Settings(_env_file=None)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SUPABASE_KEY", "CLICKHOUSE_PASSWORD", "REDIS_URL", "ANTHROPIC_API_KEY",
                 "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "HARKEN_MASTER_KEY",
                 "HARKEN_EMBEDDINGS_API_KEY", "HARKEN_RERANK_API_KEY", "PIP_INDEX_URL"):  # fmt: skip
        monkeypatch.setenv(name, "HUSH")
    given = settings.load()

    assert "HUSH" not in repr(given) + str(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "many"),
        ("CLICKHOUSE_PORT", "70000"),
        ("HARKEN_BLOCK_ROWS", "1"),
        ("DATA_ENGINE", "abacus"),
        ("LLM_TEMPERATURE", "3"),
        ("LOG_LEVEL", "LOUD"),
        ("HARKEN_EMBEDDER", "abacus"),
        ("HARKEN_EMBEDDINGS_URL", "localhost:8000/v1"),
        ("HARKEN_EMBEDDINGS_URL", "http://me:HUSH@h/v1"),
        ("HARKEN_RERANK_URL", "ftp://h/v1"),
        ("HARKEN_RERANK_URL", "http://[h/v1"),
    ],
)
def test_a_value_that_does_not_fit(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UnsuitableError, match=name.removeprefix("HARKEN_")) as refused:
        settings.load()

    assert value not in str(refused.value).removesuffix("docs/settings.md.").split(": ")[0]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "asks"),
    [("ANTHROPIC_API_KEY", True), ("OPENAI_API_KEY", True), ("OPENAI_BASE_URL", True), ("REDIS_URL", False)],
)
def test_a_key_or_a_server_of_ones_own_asks_a_model(name: str, asks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert bootstrap.asks_a_model(settings.load()) is asks
    assert (type(bootstrap.writer_of(settings.load())).__name__ == "OfflineWriter") is not asks


@pytest.mark.parametrize("host", ["ch.internal", "my_host-1", "10.0.0.7", "::1", "[::1]"])
@pytest.mark.parametrize(("port", "secure"), [(8443, True), (443, True), (8123, False)])
def test_the_parts_of_a_clickhouse_become_its_url(host: str, port: int, secure: bool) -> None:
    odd = "p@ss:/?#[]% \u00e9"
    url = address.url_of(host=host, port=port, user="u@x", password=odd, database="a b/c")

    assert odd not in url
    assert address.read(url) == Server(
        host=host.strip("[]"), port=port, user="u@x", password=odd, database="a b/c", secure=secure
    )


@pytest.mark.parametrize(
    "host", ["https://ch.internal", "ch.internal:8443", "u:HUSH@ch.internal", "ch.internal/db", "a b", "ch?x", "::1::"]
)
def test_a_host_is_a_name_and_nothing_else(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_HOST", host)
    with (
        pytest.raises(UnsuitableError, match="CLICKHOUSE_HOST is a server's name") as refused,
        bootstrap.store_of(settings.load()),
    ):
        pytest.fail("opened a store")

    assert "HUSH" not in str(refused.value)
