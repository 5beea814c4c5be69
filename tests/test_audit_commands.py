"""The commands of the audit seal, verify, prove and export, and say what is wrong."""

from pathlib import Path

from audit_cases import record, superuser
from journey import harken

from harken.flow import auditing


def test_the_commands_seal_verify_prove_and_export(store_url: str, command_line: None, tmp_path: Path) -> None:
    record(store_url, 300)

    sealed = harken("audit", "seal", "--store", store_url, "--json")
    verified = harken("audit", "verify", "--store", store_url, "--json")
    proof = harken("audit", "prove", 7, "--store", store_url)
    exported = harken("audit", "export", "--out", tmp_path / "out", "--store", store_url, "--json")
    key = harken("audit", "key", "--store", store_url)

    assert sealed.json == {"events": 300, "tree_size": 300}
    assert set(verified.json) == {"events", "sealed", "tree_size", "root", "ok", "problems"}
    assert (verified.code, verified.json["ok"], verified.json["sealed"]) == (0, True, 300)
    assert proof.json["ok"]
    assert exported.json["events"] == 300
    assert (tmp_path / "out" / auditing.KEY).read_text() == key.out
    assert (tmp_path / "home" / "audit" / "signing.key").stat().st_mode & 0o777 == 0o600
    assert harken("audit", "prove", 900, "--store", store_url).refusal.startswith(
        "harken: The audit has no sealed event"
    )
    assert harken("audit", "prove", "--store", store_url).code == 2


def test_the_command_says_what_is_wrong(store_url: str, command_line: None) -> None:
    record(store_url, 30)
    harken("audit", "seal", "--store", store_url)
    with superuser(store_url) as owner:
        owner.execute("UPDATE audit_event SET actor = 'agent:otto' WHERE id = 3")

    told, as_json = (
        harken("audit", "verify", "--store", store_url),
        harken("audit", "verify", "--store", store_url, "--json"),
    )

    assert told.code == as_json.code == 1
    assert "problem: event 3 or its leaf is not as it was sealed" in told.out
    assert as_json.json["problems"] == [
        "event 3 or its leaf is not as it was sealed",
        "the first 30 events are not those that were sealed",
    ]
