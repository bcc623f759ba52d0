"""`careline playbook`: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli import app
from processors.playbook import PACKAGED, load_playbook
from processors.policies.registry import installed, names
from tests.journey.care import brought_by
from tests.playbook.good import GOOD, SECTIONS, WHOLE, changed, written

runner = CliRunner(env={"COLUMNS": "120"})


@pytest.fixture(autouse=True)
def no_playbook_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARELINE_PLAYBOOK", raising=False)


def wrong(folder: Path) -> Path:
    return written(folder, changed("caps 0 most", 0, of=WHOLE | {"currency": "dollars"}))


def test_check_a_good_one(tmp_path: Path) -> None:
    """Its version, and what is switched off; code 0."""
    file = written(tmp_path, GOOD)
    result = runner.invoke(app, ["playbook", "check", str(file)])
    assert result.exit_code == 0
    first, *missing, last = result.stdout.splitlines()
    assert first == f"{file}: version {load_playbook(file).version}, all is well."
    assert missing == [
        "Missing in de; letters that need it are written in en:",
        "  delay_care.default.gestures.1.title.de",
        "  delay_care.default.cancelled.title.de",
    ]
    assert last.endswith(f": {', '.join(policy for policy in names() if policy != 'delay_care')}.")


def test_check_a_wrong_one(tmp_path: Path) -> None:
    """Every fault on a line of its own, and nothing else; code 1."""
    file = wrong(tmp_path)
    result = runner.invoke(app, ["playbook", "check", str(file)])
    assert result.exit_code == 1
    faults = result.stdout.splitlines()
    assert [line.split(": ")[1] for line in faults] == ["caps.0.most", "currency"]
    assert all(line.startswith(f"{file}:") for line in faults)


def test_check_for_programs(tmp_path: Path) -> None:
    """The same as JSON, good or wrong."""
    result = runner.invoke(app, ["playbook", "check", str(wrong(tmp_path)), "--json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert [fault["field"] for fault in told["faults"]] == ["caps.0.most", "currency"]
    assert all(fault["line"] > 1 and fault["problem"] for fault in told["faults"])
    result = runner.invoke(app, ["playbook", "check", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(PACKAGED),
        "ok": True,
        "version": load_playbook().version,
        "faults": [],
        "missing": {},
    }


@pytest.mark.parametrize("command", [["check"], ["show"], ["diff", str(PACKAGED)]])
def test_a_file_that_is_not_there(command: list[str], tmp_path: Path) -> None:
    """Named; code 2."""
    result = runner.invoke(app, ["playbook", *command, str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"cannot read {tmp_path / 'none.yaml'}: No such file")


def test_the_setting_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FILE it is the one of CARELINE_PLAYBOOK."""
    file = written(tmp_path, GOOD)
    monkeypatch.setenv("CARELINE_PLAYBOOK", str(file))
    told = json.loads(runner.invoke(app, ["playbook", "show", "--json"]).stdout)
    assert (told["file"], told["version"]) == (str(file), load_playbook(file).version)
    assert told["delay_care"]["default"]["threshold"] == "30m"


def test_show_to_a_person(tmp_path: Path) -> None:
    """Every policy, and what holds for all of them, in words; what is off is said to be off."""
    off = next(name for name in reversed(SECTIONS) if name not in str(WHOLE["experiments"]))
    file = written(tmp_path, {name: section for name, section in WHOLE.items() if name != off})
    result = runner.invoke(app, ["playbook", "show", str(file)])
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    for words in (
        load_playbook(file).version,
        "From a wait of 30 minutes on customers are told, and again when it moves by 20 minutes.",
        "from 2 hours on a movie movie 6.50 USD",
        "cancelled a hotel hotel 95.00 USD",
        *(words for plugin in installed() if plugin.name != off for words in brought_by(plugin, "SHOWN")),
        "Quiet hours: 22:00 to 07:00 in the customer's own day, for PUSH, SMS.",
        "service SMS 3 1 day",
        "Global 2.00% everything",
        "coupon-kind: Out-of-stock save, with 80.00% of customers",
        "shipping 50.00% free shipping (4.50 USD) for coupon; letter out_of_stock_save/save_short",
        "delay_care/notice de subject Ihr Flug kommt später",
        "Priority: Recovery, Delay care.",
        f"Switched off {off.replace('_', ' ').capitalize()}",
    ):
        assert words in said, words


def test_show_a_wrong_one(tmp_path: Path) -> None:
    """Its faults, and nothing else; code 2."""
    result = runner.invoke(app, ["playbook", "show", str(wrong(tmp_path))])
    assert result.exit_code == 2
    assert "caps.0.most" in result.stderr
    assert result.stdout == ""


def test_diff(tmp_path: Path) -> None:
    """Field, old, new; code 1 where they differ, 0 where they say the same."""
    folders = [tmp_path / name for name in ("old", "new", "same")]
    for folder in folders:
        folder.mkdir()
    old = written(folders[0], WHOLE)
    new = written(folders[1], changed("recovery nps_at_most", 5, of=WHOLE))
    same = written(folders[2], "# only a comment\n" + old.read_text(encoding="utf-8"))
    result = runner.invoke(app, ["playbook", "diff", str(old), str(new)])
    assert result.exit_code == 1
    head, row = result.stdout.splitlines()
    assert head.split() == ["field", load_playbook(old).version, load_playbook(new).version]
    assert row.split() == ["recovery.nps_at_most", "6", "5"]
    result = runner.invoke(app, ["playbook", "diff", str(old), str(same)])
    assert result.exit_code == 0
    assert result.stdout == f"{load_playbook(old).version} and {load_playbook(same).version} are equal.\n"
    result = runner.invoke(app, ["playbook", "diff", str(old), str(new), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "old_version": load_playbook(old).version,
        "new_version": load_playbook(new).version,
        "changes": [{"path": "recovery.nps_at_most", "old": 6, "new": 5}],
    }
    result = runner.invoke(app, ["playbook", "diff", str(old), str(same), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["changes"]) == (0, [])


def test_the_default_one_is_the_file_to_begin_with(tmp_path: Path) -> None:
    """What is printed, kept as a file, is the playbook in force where there is none."""
    result = runner.invoke(app, ["playbook", "default"])
    assert result.exit_code == 0
    file = written(tmp_path, result.stdout)
    assert load_playbook(file).version == load_playbook().version
    assert all(f"\n{policy}:\n" in result.stdout for policy in names())
