"""What leaves is checked by a program that needs nothing of ours, and sees what was changed or cut."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from audit_cases import CUT, EVENTS, LATER, sealed_in_two_turns, sql, superuser  # noqa: F401  a fixture among them

from harken.flow import auditing
from harken.flow.audit_desk import AuditDesk


def verifier(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program of an export, by a Python that knows nothing of Harken."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_beside_an_export_needs_nothing_of_ours(desk: AuditDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = auditing.export(desk, out)
    program = out / auditing.VERIFIER
    (tmp_path / "proof.json").write_text(json.dumps(auditing.prove(601, desk)))
    proof = ("--proof", tmp_path / "proof.json", "--key", out / auditing.KEY)

    whole, proved = verifier(program, out, "--pinned", desk.pins.path), verifier(program, *proof)

    assert (made.events, made.checkpoints) == (EVENTS + LATER, 2)
    assert (whole.returncode, whole.stdout) == (0, f"OK: {EVENTS + LATER} events, 2 signed checkpoints: whole\n")
    assert (proved.returncode, proved.stdout) == (0, "OK: the event is in the signed tree\n")


@pytest.mark.parametrize("file", [auditing.EVENTS, auditing.NOTES, auditing.KEY, "proof.json"])
def test_the_program_sees_what_was_changed_in_an_export(file: str, desk: AuditDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    auditing.export(desk, out)
    (out / "proof.json").write_text(json.dumps(auditing.prove(601, desk)))
    spoilt = out / file
    text = spoilt.read_text("utf-8")
    at = text.index("lena") if "lena" in text else len(text) // 2
    spoilt.write_text(text[:at] + ("M" if text[at] != "M" else "L") + text[at + 1 :], "utf-8")

    proof = ("--proof", out / "proof.json", "--key", out / auditing.KEY)
    arguments = proof if file == "proof.json" else (out, "--pinned", desk.pins.path)
    ended = verifier(out / auditing.VERIFIER, *arguments)

    assert ended.returncode == 1
    assert ended.stdout.startswith("PROBLEM: ")
    assert ended.stderr == ""


def test_an_export_that_was_cut_is_seen_by_its_pins(desk: AuditDesk, store_url: str, tmp_path: Path) -> None:
    with superuser(store_url) as owner:
        sql(*CUT)(owner, desk)
    auditing.export(desk, tmp_path / "out")

    alone = verifier(tmp_path / "out" / auditing.VERIFIER, tmp_path / "out")
    pinned = verifier(tmp_path / "out" / auditing.VERIFIER, tmp_path / "out", "--pinned", desk.pins.path)

    assert alone.returncode == 0
    assert pinned.stdout == f"PROBLEM: a pinned checkpoint is not here: {EVENTS + LATER} events\n"
