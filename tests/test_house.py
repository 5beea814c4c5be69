"""The house rules that no other tool checks. Each failure names the place and what to do."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import harken

SOURCE = Path(harken.__file__).parent
ROOT = SOURCE.parent.parent
FILE_LINES, FUNCTION_LINES = 300, 40
MAY_COMMIT = ("kit/db.py", "adapters/warehouses/")
LEFT_OVER = re.compile("TO" + "DO|FIX" + "ME|X" + "XX")
MACHINE_PATH = re.compile(r"""(?<![\w.}$])/(?:work|tmp|home|root|Users)/""")
VAGUE = {"utils", "util", "helpers", "helper", "manager", "service", "services", "common", "misc", "base"}
PATH_IN_BACKTICKS = re.compile(r"`([\w.-]+(?:/[\w.*-]+)*(?:\.(?:py|sql|toml|md|svg|yaml)|/))`")


@cache
def modules() -> dict[str, ast.Module]:
    """Path inside the package -> its syntax tree."""
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.name}", node


def written() -> Iterator[tuple[str, str]]:
    """Everything people read: path in the repository -> text."""
    folders = (SOURCE, ROOT / "docs", ROOT / "tests", ROOT / "benchmarks", ROOT / "engines")
    kinds = {".py", ".sql", ".toml", ".md", ".svg", ".html"}
    paths = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    for path in [*paths, *ROOT.glob("*.md"), ROOT / "start.py", ROOT / "justfile", ROOT / ".ci" / "run"]:
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def test_files_fit_in_the_head() -> None:
    lengths = {name: len(text.splitlines()) for name, text in written() if name.endswith(".py")}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES} == {}, f"more than {FILE_LINES} lines: split it"


def test_functions_fit_on_the_screen() -> None:
    lengths = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in functions()}
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LINES} == {}, f"more than {FUNCTION_LINES} lines"


def test_every_module_says_what_it_turns_into_what() -> None:
    silent = [name for name, tree in modules().items() if not ast.get_docstring(tree)]
    assert silent == [], "begin the file with one sentence"


def test_names_mean_something() -> None:
    vague = [name for name in modules() if VAGUE & set(Path(name).with_suffix("").parts)]
    assert vague == [], "name the file after what is in it"


def test_every_package_has_something_in_it() -> None:
    folders = {path.parent for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    empty = [
        str(f.relative_to(SOURCE))
        for f in folders
        if {path.name for path in f.iterdir()} <= {"__init__.py", "__pycache__"}
    ]
    homeless = [name for name in modules() if not (SOURCE / name).parent.joinpath("__init__.py").exists()]
    assert empty == []
    assert homeless == [], "the folder has no __init__.py"


def test_every_query_is_used_and_says_why() -> None:
    for file in SOURCE.rglob("queries.sql"):
        code = "\n".join(path.read_text("utf-8") for path in file.parent.glob("*.py"))
        for block in file.read_text("utf-8").split("-- name: ")[1:]:
            name, reason, *_ = block.splitlines()
            where = f"{file.relative_to(SOURCE)}: {name}"
            assert re.search(rf"\b\w+\.{name.strip()}\b", code), f"{where} is not used beside it"
            assert reason.startswith("-- "), f"{where} does not begin with a comment that says why"


def test_one_place_commits() -> None:
    commits = [
        name
        for name in modules()
        if ".commit(" in (SOURCE / name).read_text("utf-8") and not name.startswith(MAY_COMMIT)
    ]
    assert commits == [], "only kit/db.py commits, and the warehouse adapters that have connections of their own"


def test_the_pure_packages_have_no_coroutine() -> None:
    pure = ("domain/", "conversations/", "profiles/", "privacy/", "decide/")
    ports = "decide/ports.py"  # what a door waits for is said there, and awaited elsewhere
    found = [
        name
        for name, node in functions()
        if isinstance(node, ast.AsyncFunctionDef) and name.startswith(pure) and not name.startswith(ports)
    ]
    assert found == [], "waiting belongs to flow, adapters and the doors"


def test_no_mocks_of_our_own_code() -> None:
    banned = "unittest." + "mock"
    guilty = [p.name for p in (ROOT / "tests").rglob("*.py") if banned in p.read_text("utf-8")]
    assert guilty == [], "use the offline twin of the adapter"


def test_nothing_is_left_for_later() -> None:
    found = [f"{name}: {match.group()}" for name, text in written() for match in LEFT_OVER.finditer(text)]
    assert found == [], "do it, or write it down where the work is planned"


def test_no_path_of_one_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in written()
        if not name.startswith("tests/")
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_the_tour_visits_files_that_exist() -> None:
    named = set(PATH_IN_BACKTICKS.findall((ROOT / "TOUR.md").read_text("utf-8")))
    missing = [name for name in named if not any(folder.joinpath(name).exists() for folder in (SOURCE, ROOT))]
    assert len(named) > 20
    assert missing == []


def test_the_tour_leaves_no_package_out() -> None:
    tour = (ROOT / "TOUR.md").read_text("utf-8")
    packages = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert sorted(name for name in packages if f"`{name}/" not in tour) == [], "give the package a stop in TOUR.md"
