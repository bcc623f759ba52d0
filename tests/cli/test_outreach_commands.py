"""What `careline outreach preview` and `careline tasks` print."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli import app
from processors.cli.tasks import _data, _show
from processors.letters.sources import Sources
from processors.playbook.packaged import packaged_playbook
from processors.terminal import Screen
from tests.view.sample import TASK, after

runner = CliRunner()


@pytest.mark.parametrize("letter", Sources().letters())
@pytest.mark.parametrize("locale", ["en", "de-AT", "es-MX"])
def test_every_letter_can_be_looked_at(letter: str, locale: str) -> None:
    """With the examples that come with it, in every language."""
    result = runner.invoke(app, ["outreach", "preview", letter, "--locale", locale])
    assert result.exit_code == 0, result.output
    assert "Subject:" in result.stdout


def test_a_letter_as_a_customer_gets_it(tmp_path: Path) -> None:
    """Subject, text, page; with other words where they are given."""
    page = tmp_path / "page.html"
    asked = ["outreach", "preview", "delay_care/notice", "--var", "name=Bo", "--var", "reason=CUSTOMS", "--json"]
    result = runner.invoke(app, [*asked, "--html", str(page)])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["subject"] == "Your flight is running late: now expected at 9:45 pm"
    assert "Hello Bo," in said["text"]
    assert "held at customs" in said["text"]
    assert said["html"] == page.read_text(encoding="utf-8")


def test_a_letter_that_is_not_there() -> None:
    """Those that are, are listed."""
    result = runner.invoke(app, ["outreach", "preview", "delay_care/nope"])
    assert result.exit_code == 4
    assert "delay_care/notice" in result.output


@pytest.mark.parametrize("pair", ["name", "=x", "a b=c"])
def test_a_variable_is_given_by_name(pair: str) -> None:
    """Anything else is a wrong call."""
    assert runner.invoke(app, ["outreach", "preview", "delay_care/notice", "--var", pair]).exit_code == 2


def test_a_playbooks_own_words(tmp_path: Path) -> None:
    """They are tried before they are in force; what is wrong with them is told by its place."""
    packaged = packaged_playbook()
    assert "texts: {}" in packaged
    playbook = tmp_path / "playbook.yaml"
    own = "texts:\n  delay_care/notice:\n    de:\n      closing: "
    playbook.write_text(packaged.replace("texts: {}", own + "Bis bald, {{ name }}!"), "utf-8")
    asked = ["outreach", "preview", "delay_care/notice", "--locale", "de", "--playbook", str(playbook)]
    result = runner.invoke(app, asked)
    assert "Bis bald, Ana Ruiz!" in result.stdout, result.output
    playbook.write_text(packaged.replace("texts: {}", own + "'{{ 2 ** 9 }}'"), "utf-8")
    result = runner.invoke(app, asked)
    assert result.exit_code == 2
    assert "texts.delay_care/notice.de.closing: in its line 1: a power (**) is not for letters" in result.output


def test_a_task_has_no_page(tmp_path: Path) -> None:
    """It is text for staff."""
    asked = ["outreach", "preview", "delay_care/notice", "--task"]
    assert "Why we wrote" not in runner.invoke(app, asked).stdout
    assert runner.invoke(app, [*asked, "--html", str(tmp_path / "page.html")]).exit_code == 2


def test_tasks_are_listed_with_how_late_they_are() -> None:
    """An escalation and what is overdue stand out."""
    out = io.StringIO()
    _show((TASK,), Screen(file=out, width=160), after(400))
    assert "overdue by 1 h 00 min" in out.getvalue()
    assert "escalated: Call Anna" in out.getvalue()
    out = io.StringIO()
    _show((TASK,), Screen(file=out, width=160), after(340) - timedelta(minutes=5))
    assert "in 5 min" in out.getvalue()
    assert _data(TASK, after(400))["overdue"] is True
    assert _data(TASK, after(339))["overdue"] is False


def test_redis_away_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback."""
    monkeypatch.setenv("CARELINE_REDIS_URL", "redis://127.0.0.1:1/0")
    result = runner.invoke(app, ["tasks"])
    assert result.exit_code == 3
    assert "Redis at 127.0.0.1:1" in result.output
