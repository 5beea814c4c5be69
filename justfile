# `just` alone lists what you can do. Every recipe is one line you could type yourself.
export PATH := justfile_directory() / ".venv" / "bin:" + env("PATH")

_default:
    @just --list --unsorted

# Everything CI checks, fastest first.
[group("check")]
check: lint map types test

# Style and the house rules that ruff knows.
[group("check")]
lint:
    ruff check && ruff format --check

# Strict types.
[group("check")]
types:
    mypy

# Who may import whom.
[group("check")]
map:
    lint-imports --no-logo

# The quick tests, on an embedded Postgres. `just test -k urgent` for one.
[group("check")]
test *args:
    pytest -m "not matrix and not spark and not kafka and not flink and not fuzz and not long and not soak" {{args}}

# Whole journeys on every engine and store but Spark.
[group("check")]
matrix *args:
    pytest -n 2 --dist worksteal -m "matrix and not spark and not kafka" {{args}}

# The tests that start a real Spark: ten minutes, and Java 17 or later.
[group("check")]
spark *args:
    pytest -m spark {{args}}

# The tests that start a real Kafka broker: half a minute, Java 17 or later, and Maven the first time.
[group("check")]
test-kafka *args:
    pytest -m kafka {{args}}

# The tests that start a real Kafka and a real Flink: five minutes, Java 17 or later and Maven Central.
[group("check")]
test-flink *args:
    pytest -m flink {{args}}

# A Kafka broker on this machine until Ctrl-C, and its address: Java 17 or later, and Maven the first time. FOLDER keeps its topics.
[group("run")]
kafka *folder:
    python tests/kafka_broker.py {{folder}}

# The default classifier, fitted again: after a change to its exemplars or to how a classifier is fitted.
[group("run")]
classifier:
    python -m benchmarks.make_classifier

# The whole path on made-up data: no key, no server.
[group("run")]
demo:
    python -m harken demo

# Profiles on Apache Flink: `just flink run`, `stop` or `upserts`; see docs/howto/flink.md.
[group("run")]
flink *args:
    python -m engines.submit {{args}}

# Events received live while workers are killed and the database crashes: a million, 200 and 10 by default; an hour or more.
[group("measure")]
soak *args:
    python -m benchmarks.soak {{args}}

# One benchmark beside its yardstick, for example `just bench p3_decisions --json`; see docs/benchmarks.md.
[group("measure")]
bench name *args:
    python -m benchmarks.{{name}} {{args}}

# Killed and frozen workers, races for one ticket, attacks on the audit, forged proofs, faults of models: the quick tests' long forms, hours.
[group("measure")]
long *args:
    pytest --no-cov -n0 -m long {{args}}

# The whole interface asked by Schemathesis: twenty thousand cases and more, half an hour.
[group("measure")]
fuzz *args:
    pytest --no-cov -n0 -m fuzz {{args}}

# Every long form of everything, one after the other: all that is asked for thousands of times before a release.
[group("measure")]
overnight: long soak fuzz (bench "l1_actions") (bench "r2_hostile") (bench "r4_canaries")

# The acceptance runs on real data that you have in PATH.
[group("measure")]
accept path *args:
    python -m benchmarks.accept --data {{quote(path)}} {{args}}
