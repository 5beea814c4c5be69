"""`harken doctor`: what is configured, what answers, and what works less well without it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import click

from harken import bootstrap, settings
from harken.adapters import caches, embedders, frames
from harken.bootstrap import library
from harken.cli import options, printing
from harken.errors import HarkenError
from harken.flow import one_key
from harken.flow.ports import Warehouse
from harken.kit.embedded_postgres import Running
from harken.settings import Settings

LOW_DISK_BYTES = 2 * 1024**3
_EXTRAS = {
    "polars": ("polars",),
    "pandas": ("pandas",),
    "spark": ("pyspark",),
    "clickhouse": ("clickhouse_connect", "chdb"),
    "kafka": ("confluent_kafka",),
    "minilm": ("onnx", "onnxruntime"),
    "redis": ("redis",),
}


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str


@click.command("doctor", short_help="Say what is configured and what answers.")
@options.store
@options.as_json
def command(store: str | None, json_: bool) -> None:
    """Look at everything Harken leans on, and say what is missing in words that help."""
    checks = list(examined(settings.load(), store))
    if json_:
        printing.as_json({"checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{'ok ' if check.ok else 'NO '} {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        raise SystemExit(1)


def examined(given: Settings, store: str | None) -> Iterator[Check]:
    yield Check("python", sys.version_info >= (3, 11), ".".join(map(str, sys.version_info[:3])))
    yield _disk(given)
    yield from _store_and_key(given, store)
    yield _tried(
        "policy", lambda: f"version {bootstrap.load_policy(given.policy).version}, {given.policy or 'the default'}"
    )
    yield Check("engines", True, _engines())
    yield _writer(given)
    yield _embedder(given)
    if given.redis_url.get_secret_value():
        yield _tried("Redis", lambda: _redis(given))


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except HarkenError as wrong:
        return Check(name, False, str(wrong))


def _disk(given: Settings) -> Check:
    folder = given.home.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Check(
        "disk", free > LOW_DISK_BYTES, f"{free / 1024**3:.1f} GiB free for {given.home}; a load wants 2 GiB or more"
    )


def _store_and_key(given: Settings, url: str | None) -> Iterator[Check]:
    try:
        with bootstrap.store_of(given, url) as running, bootstrap.served(running.url) as warehouse:
            yield Check("store", True, _store(running, warehouse))
            yield _tried("master key", lambda: _key(given, warehouse))
    except HarkenError as wrong:
        yield Check("store", False, str(wrong))
        yield _tried("master key", lambda: _key(given))


def _store(running: Running, warehouse: Warehouse) -> str:
    totals, note = warehouse.totals(), f"; {running.note}" if running.note else ""
    return f"{bootstrap.described(running)}, {totals.events:,} events of {totals.customers:,} customers{note}"


def _key(given: Settings, warehouse: Warehouse | None = None) -> str:
    master = bootstrap.master_key(given)
    if warehouse is not None:
        one_key.refuse_another(warehouse, master)
    return (
        "from HARKEN_MASTER_KEY" if given.master_key.get_secret_value() else f"{given.home / 'master.key'}; back it up"
    )


def _embedder(given: Settings) -> Check:
    described = embedders.described(given.home.absolute(), library.endpoint_of(given))
    [chosen] = [each for each in described if each["name"] == given.embedder]
    return Check("embedder", chosen["ready"], f"{chosen['name']}: {chosen['detail']}")


def _redis(given: Settings) -> str:
    caches.RedisCache(given.redis_url.get_secret_value(), "").get_many([b"doctor"])
    return "answers; processes share answers of the search through it"


def _engines() -> str:
    have = [name for name, module in frames.ENGINES.items() if find_spec(module)]
    lack = [extra for extra, needs in _EXTRAS.items() if not all(map(find_spec, needs))]
    more = f"; pip install 'harken[{','.join(lack)}]' adds {', '.join(lack)}" if lack else ""
    return f"{', '.join(have)}{more}"


def _writer(given: Settings) -> Check:
    if not bootstrap.asks_a_model(given):
        return Check(
            "writer",
            True,
            "offline: messages are worded from templates; ANTHROPIC_API_KEY or OPENAI_API_KEY adds a model",
        )
    names = [
        name
        for name, key in (
            ("Anthropic", given.anthropic_api_key.get_secret_value()),
            ("Azure OpenAI", given.azure_openai_api_key.get_secret_value()),
            ("OpenAI", given.openai_api_key.get_secret_value() or given.openai_base_url),
        )
        if key
    ]
    return Check("writer", True, f"{', then '.join(names)}, then offline; at most {given.daily_budget_usd:g} USD a day")
