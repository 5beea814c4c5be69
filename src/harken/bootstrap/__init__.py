"""The wiring: settings -> the real parts. Real things are built here and nowhere else."""

import getpass
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from harken.adapters import frames
from harken.adapters.warehouses import clickhouse, postgres
from harken.adapters.warehouses.clickhouse.warehouse import ClickHouseWarehouse
from harken.adapters.warehouses.postgres.warehouse import PostgresWarehouse
from harken.adapters.writers import OfflineWriter
from harken.errors import UnsuitableError
from harken.flow import one_key
from harken.flow.desk import Bench, Desk, LiveDesk
from harken.flow.drafter import Drafter
from harken.flow.ports import Warehouse
from harken.kit import db, embedded_postgres, migrate, without_pandas
from harken.kit.clock import wall_clock
from harken.kit.embedded_postgres import Running
from harken.privacy.keys import MasterKey, load_master_key
from harken.profiles import fold, stored
from harken.profiles.features import NAMES

if TYPE_CHECKING:
    from harken.adapters.frames.on_spark import Cluster
    from harken.decide.policy import Policy
    from harken.flow.door import Door
    from harken.guard.rules_file import GuardRules
    from harken.settings import Settings

_SCHEMES = ("postgresql://", "postgres://")


@contextmanager
def store_of(settings: "Settings", url: str | None = None) -> Iterator[Running]:
    """The database, migrated: the one by URL, or the embedded one, kept up until the block ends."""
    given = url or _store_in(settings)
    if clickhouse.is_clickhouse(given):
        with clickhouse.opened(given, wall_clock):
            yield Running(given)
        return
    with Running(_checked(given)) if given else embedded_postgres.start(settings.home) as running:
        migrate.migrate(running.url)
        yield running


def _store_in(settings: "Settings") -> str:
    """The URL that the settings name or amount to; empty: the embedded PostgreSQL."""
    if given := settings.database_url.get_secret_value():
        return given
    if settings.clickhouse_host:
        return clickhouse.url_of(
            host=settings.clickhouse_host,
            port=settings.clickhouse_port,
            user=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database=settings.clickhouse_database,
        )
    if settings.supabase_url:
        raise UnsuitableError(
            "SUPABASE_URL alone does not open the database. Set HARKEN_DATABASE_URL to the project's Postgres URL "
            "(Supabase: Connect, then Direct connection or Session pooler)."
        )
    return ""


def described(running: Running) -> str:
    """Which engine a store is, where, its version and migrations, for people."""
    if clickhouse.is_clickhouse(running.url):
        return clickhouse.described(running.url)
    return postgres.described(running.url, running.folder)


@contextmanager
def desk_of(settings: "Settings", *, store: str | None = None, engine: str | None = None) -> Iterator[Desk]:
    """Everything a sentence needs, built from the settings."""
    from harken.bootstrap import desks  # noqa: PLC0415  it needs what stands here

    master = master_key(settings)
    name = engine or settings.data_engine
    frames.check(name)
    with store_of(settings, store) as running, _spark_of(settings, name) as spark, ExitStack() as ends:
        bench = bench_of(settings, running.url, master)
        warehouse = bench.open_warehouse()
        live = _live_desk(settings, running.url, master)
        try:
            one_key.keep_to(warehouse, master)
            desk = Desk(
                home=settings.home.absolute(),
                who=_who(),
                warehouse=warehouse,
                engine=spark.engine if spark else partial(frames.engine, name),
                executors=spark.executors if spark else None,
                engine_name=name,
                workers=_workers(settings),
                block_rows=settings.block_rows,
                writes_offline=not asks_a_model(settings),
                note=running.note,
                live=live,
                bench=bench,
            )
            yield desks.with_desks(desk, settings, running.url, ends)
        finally:
            warehouse.close()
            if live:
                live.database.close()


def _live_desk(settings: "Settings", url: str, master: MasterKey) -> LiveDesk | None:
    """ClickHouse has no transaction that could hold an event and what follows from it."""
    if clickhouse.is_clickhouse(url):
        return None
    return LiveDesk(
        database=db.Database(url), master=master, clock=wall_clock, open_door=cache(partial(_door, settings, master))
    )


def _door(settings: "Settings", master: MasterKey) -> "Door":
    from harken.eventlog import plan, registry  # noqa: PLC0415  schemas take a tenth of a second that few commands need
    from harken.flow.door import Door  # noqa: PLC0415  as above

    known = registry.load(settings.schemas)
    planned = plan.load(settings.tracking_plan, known.names) if settings.tracking_plan else None
    return Door(master=master, registry=known, plan=planned)


def _spark_of(settings: "Settings", engine: str) -> "AbstractContextManager[Cluster | None]":
    """None for the other engines."""
    if engine != "spark":
        return nullcontext()
    master, memory = settings.spark_master, settings.spark_memory
    return frames.spark(settings.home.absolute(), master=master, memory=memory, workers=_workers(settings))


def _workers(settings: "Settings") -> int:
    return settings.workers or os.cpu_count() or 1


def bench_of(settings: "Settings", url: str, master: MasterKey) -> Bench:
    return Bench(
        open_warehouse=partial(_warehouse, url),
        master=master,
        clock=wall_clock,
        load_policy=partial(load_policy, settings.policy),
        open_writer=partial(writer_of, settings, url) if asks_a_model(settings) else OfflineWriter,
    )


def master_key(settings: "Settings") -> MasterKey:
    text = settings.master_key.get_secret_value()
    if text:
        return MasterKey.from_text(text)
    _make_home(settings.home)
    return load_master_key(settings.home / "master.key")


def _make_home(home: Path) -> None:
    # Open to enter, so that the embedded server's own user reaches its folder; what is secret inside has its own mode.
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o755)
    except (FileExistsError, NotADirectoryError):
        raise UnsuitableError(f"{home.absolute()} is not a folder. Set HARKEN_HOME to a folder.") from None
    except OSError as wrong:
        raise UnsuitableError(
            f"{home.absolute()} cannot be made: {wrong.strerror}. Set HARKEN_HOME to a folder of yours."
        ) from None


def load_policy(path: Path | None) -> "Policy":
    from harken.decide import policy  # noqa: PLC0415  a process that takes in decides nothing

    return policy.load(path, features=NAMES)


def load_guard_rules(path: Path | None) -> "GuardRules":
    from harken.guard import rules_file  # noqa: PLC0415  a process that takes in judges nothing

    return rules_file.load(path)


def asks_a_model(settings: "Settings") -> bool:
    keys = (settings.anthropic_api_key, settings.openai_api_key, settings.azure_openai_api_key)
    return any(key.get_secret_value() for key in keys) or bool(settings.openai_base_url)


def writer_of(settings: "Settings", url: str = "") -> Drafter:
    """The models whose keys are set, in order, with the offline writer behind them; without any, it alone.

    With the URL of a PostgreSQL store, budgets and answers are shared by every process on it.
    """
    if not asks_a_model(settings):
        return OfflineWriter()
    from harken.bootstrap import models  # noqa: PLC0415  two seconds of imports that only a model needs

    return models.writer_of(settings, "" if clickhouse.is_clickhouse(url) else url)


@contextmanager
def served(url: str) -> Iterator[Warehouse]:
    """A warehouse on a migrated store."""
    warehouse = _warehouse(url)
    try:
        yield warehouse
    finally:
        warehouse.close()


def _warehouse(url: str) -> Warehouse:
    without_pandas.spare_pandas()
    if clickhouse.is_clickhouse(url):
        return ClickHouseWarehouse(url, _merge)
    return PostgresWarehouse(url, _merge)


def _merge(old: bytes, new: bytes) -> bytes:
    """Two packed states of one identity -> one, without the tiles that no window reaches any more."""
    merged = fold.merge_states(stored.from_bytes(old), stored.from_bytes(new))
    return stored.to_bytes(fold.prune(merged))


def _checked(url: str) -> str:
    if not url.startswith(_SCHEMES):
        scheme = url.partition(":")[0]
        raise UnsuitableError(
            f"A store is postgresql://USER:PASSWORD@HOST:PORT/NAME, clickhouse://USER:PASSWORD@HOST:PORT/NAME or "
            f"chdb:///FOLDER; {scheme} is none of them."
        )
    return url


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's user id without a name
