"""The reader outlives every file: broken ones, bombs, links, pipes, and what it may not enter."""

import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documents_cases import all_of, draft, encrypted, one_apart, pdf, reason, shown, written  # noqa: F401  a fixture among them

from harken.domain.document import Draft, Unreadable
from harken.knowledge.reading import files, limits
from harken.knowledge.reading.apart import Apart
from harken.knowledge.reading.page import CannotReadError
from harken.knowledge.reading.read import read


def still_reads(apart: Apart, folder: Path) -> bool:
    return draft(written(folder, "after.html", "<p>fine</p>"), apart).text == "fine"


def test_pdf_pages_and_the_ways_in_which_they_have_none(tmp_path: Path, apart: Apart) -> None:
    path = written(tmp_path, "a.pdf", pdf([shown("First page."), shown("Second page.")]))
    assert draft(path, apart).text == "First page.\n\nSecond page."

    assert "scanned pages need OCR" in reason(written(tmp_path, "scan.pdf", pdf([b"0 0 m"])), apart)
    assert "more than 2,000 pages" in reason(written(tmp_path, "b.pdf", pdf([b""] * 2_001)), apart)
    assert "broken PDF" in reason(written(tmp_path, "c.pdf", b"%PDF-1.4\n%%EOF\n"), apart)
    encrypted(path, "secret")
    assert "is encrypted" in reason(path, apart)
    viewable = written(tmp_path, "v.pdf", pdf([shown("Look, do not print.")]))
    encrypted(viewable, "")
    assert draft(viewable, apart).text == "Look, do not print."


def test_a_pdf_of_50_mb(tmp_path: Path, apart: Apart) -> None:
    ballast = random.Random(1).randbytes(50_000_000)
    path = written(tmp_path, "a.pdf", pdf([shown(f"Page {n}.") for n in range(20)], ballast=ballast))
    assert draft(path, apart).text.endswith("Page 19.")


def test_bombs_end_and_the_next_document_is_read(tmp_path: Path) -> None:
    bomb = written(tmp_path, "bomb.pdf", pdf([b" " * 100_000_000]))
    deep = written(tmp_path, "deep.html", "<div>" * 1_000_000 + "core")
    long = written(tmp_path, "long.pdf", pdf([b"BT /F1 9 Tf " + b"(a b c) Tj 0 1 Td " * 90_000 + b"ET"] * 40))
    with Apart(seconds=3) as apart:
        assert "unpacks to more than is safe" in reason(bomb, apart)
        assert reason(deep, apart) == "takes longer than 3 s to read"
        assert still_reads(apart, tmp_path)
        assert reason(long, apart) == "takes longer than 3 s to read"
        assert still_reads(apart, tmp_path)


def test_too_much_memory_is_refused_and_the_next_document_is_read(tmp_path: Path) -> None:
    wide = written(tmp_path, "wide.html", "<i>a</i>" * 2_000_000)
    large = written(tmp_path, "large.pdf", pdf([b" " * 70_000_000] * 3))
    with Apart(memory_bytes=150 << 20) as apart:
        assert "its parser breaks down" in reason(wide, apart)
        assert still_reads(apart, tmp_path)
        assert reason(large, apart) == "needs more than 150 MiB of memory to read"
        assert still_reads(apart, tmp_path)


def test_a_child_that_was_killed_is_replaced(tmp_path: Path, apart: Apart) -> None:
    assert still_reads(apart, tmp_path)
    apart.close()
    assert still_reads(apart, tmp_path)


def test_lines_of_a_million_brackets_end(tmp_path: Path, apart: Apart) -> None:
    for mark in ("[", "*a", "`", "![](", "<!--", "#" * 7 + " ", "__"):
        text = draft(written(tmp_path, "a.md", "words\n\n" + mark * (1_000_000 // len(mark))), apart).text
        assert text.startswith("words")


def test_limits_of_size(tmp_path: Path, apart: Apart) -> None:
    large = tmp_path / "large.md"
    with large.open("wb") as file:
        file.truncate(limits.FILE_BYTES + 1)
    assert reason(large, apart) == "is larger than 64 MB"
    with pytest.raises(CannotReadError, match="larger than 64 MB"):
        files.fingerprint(large)
    assert reason(written(tmp_path, "a.html", b"a " * 10_000_001), apart) == "is larger than 20 MB"
    assert "4,000,000 characters" in reason(written(tmp_path, "b.html", "word " * 1_000_000), apart)
    assert "4,000,000 characters" in reason(written(tmp_path, "b.txt", "word " * 1_000_000), apart)


def test_walk_is_sorted_and_leaves_hidden_folders_out(tmp_path: Path) -> None:
    for name in ("b/z.md", "b/a.md", "a.md", ".git/x.md", "c/.cache/y.md", ".hidden.md", "B.md"):
        written(tmp_path, name, "x")
    below = [str(file.relative_to(root)) for root, file in files.walk([tmp_path])]
    assert below == [".hidden.md", "B.md", "a.md", "b/a.md", "b/z.md"]
    assert list(files.walk([tmp_path / "a.md", tmp_path / "none"])) == [
        (tmp_path, tmp_path / "a.md"),
        (tmp_path, tmp_path / "none"),
    ]


def test_links_pipes_and_sockets_are_not_opened(tmp_path: Path, apart: Apart) -> None:
    outside = written(tmp_path, "outside/secret.md", "secret")
    inside = tmp_path / "in"
    written(inside, "real.md", "real")
    links = {"out.md": outside, "out": outside.parent, "loop.md": inside / "loop.md", "up": inside, "gone.md": "none"}
    for name, target in links.items():
        (inside / name).symlink_to(target)
    (inside / "again.md").symlink_to("real.md")
    os.mkfifo(inside / "pipe.md")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(inside / "plug.csv"))
        found = {each.source: each for each in all_of([inside], apart)}

    assert [source for source, each in found.items() if isinstance(each, Draft)] == ["again.md", "real.md"]
    reasons = {source: each.reason for source, each in found.items() if isinstance(each, Unreadable)}
    assert "leads out of the folder" in reasons["out.md"]
    assert "leads out of the folder" in reasons["out"]
    assert "leads to itself" in reasons["loop.md"]
    assert "leads nowhere" in reasons["gone.md"]
    assert "link to a folder" in reasons["up"]
    assert "is a pipe or a device" in reasons["pipe.md"]
    assert "is a pipe or a device" in reasons["plug.csv"]
    named = all_of([inside / "out.md", inside / "loop.md"], apart)
    assert [each.text if isinstance(each, Draft) else each.reason for each in named] == ["secret", reasons["loop.md"]]
    with pytest.raises(CannotReadError, match="pipe or a device"):
        files.fingerprint(inside / "pipe.md")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root enters every folder, so for a while this process is somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_folders_and_files_without_permission(apart: Apart) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        written(folder, "open.md", "open")
        written(folder, "closed.md", "closed").chmod(0)
        written(folder, "locked/a.md", "a").parent.chmod(0)
        written(folder, "listed/a.md", "a").parent.chmod(0o444)
        with as_nobody():
            found = {each.source: each for each in all_of([folder], apart)}
        for locked in ("locked", "listed"):
            (folder / locked).chmod(0o700)

    reasons = {source: each.reason for source, each in found.items() if isinstance(each, Unreadable)}
    assert reasons.keys() == {"closed.md", "listed/a.md", "locked"}
    assert "a folder that cannot be entered" in reasons["locked"]
    assert "permissions" in reasons["closed.md"]
    assert "permissions" in reasons["listed/a.md"]
    assert isinstance(found["open.md"], Draft)


def test_a_file_that_vanishes_and_one_that_nobody_can_read(tmp_path: Path, apart: Apart) -> None:
    walked = list(files.walk([written(tmp_path, "a.md", "x").parent]))
    (tmp_path / "a.md").unlink()
    [(root, file)] = walked
    assert [each.reason for each in read(file, root, apart) if isinstance(each, Unreadable)] == [files.GONE]
    with pytest.raises(CannotReadError):
        files.fingerprint(file)
    assert "is not one of: .md" in reason(written(tmp_path, "a.docx", "x"), apart)
    assert list(read(written(tmp_path, ".DS_Store", "x"), tmp_path, apart)) == []


def test_the_second_of_two_documents_with_one_id_is_refused(tmp_path: Path, apart: Apart) -> None:
    written(tmp_path, "a.json", '{"id": "x", "content": "first"}')
    written(tmp_path, "b.md", "---\nid: x\n---\nsecond")
    first, second = all_of([tmp_path], apart)
    assert isinstance(first, Draft)
    assert second == Unreadable(source="b.md", reason="has the same id as a document in a.json")
    assert "cannot be printed" in reason(written(tmp_path, "c.json", '{"id": "a\\nb", "content": "c"}'), apart)


def test_a_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    first, same, other = (
        written(tmp_path, n, c) for n, c in (("a", "x" * 3_000_000), ("b", "x" * 3_000_000), ("c", "y"))
    )
    assert files.fingerprint(first) == files.fingerprint(same) != files.fingerprint(other)
    assert len(files.fingerprint(other)) == 32
