"""What reaches a terminal: texts from outside are shown and never obeyed, at any width and in any encoding."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from processors.cli import app, dlq, main
from processors.cli.customer import show as show_customer
from processors.cli.experiments import _show as show_experiments
from processors.cli.tasks import _show as show_tasks
from processors.measure.sample_ratio import sample_ratio
from processors.republishing import Kept
from processors.terminal import Grid, Screen, clean, clean_event, say_json
from processors.view.customer import CustomerView, Entry, OutreachStory
from streams import events
from streams.subscribing.dead_letters import DeadLetter

ROOT = Path(__file__).parents[2]
NOW = datetime(2013, 2, 8, 12, tzinfo=UTC)

HOSTILE = {
    "markup that does not close": "a[/b]",
    "markup": "cust[red]7",
    "an emoji code": "cust:smile:7",
    "a link in markup": "[link=https://x.example]7[/link]",
    "colours": "\x1b[31mred\x1b[0m",
    "a title": "\x1b]0;owned\x07",
    "clears the screen": "\x1b[2J\x1b[H",
    "a C1 introducer": "\x9b31m",
    "backspaces": "1000\x08\x08\x08\x087",
    "back to the line's beginning": "bad\rgood",
    "bidi override": "\u202egnp.exe",
    "bidi isolate": "\u2066abc\u2069",
    "hidden in between": "cu\u200bst\u20607",
    "a joiner that hides": "cust\u200d7",
    "a soft hyphen": "cu\u00adst",
    "tags": "cust\U000e0068\U000e0069",
    "half a character": "cust\ud83d",
    "nul": "cust\x007",
    "delete": "cust\x7f7",
    "line separator": "one\u2028two",
}
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e00ff]"
)


def hostile() -> Any:
    return pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def screen(width: int = 120) -> Screen:
    return Screen(file=io.StringIO(), width=width)


def printed(on: Screen) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


# -- one way out -------------------------------------------------------------------------------------------------------


def sources() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted((ROOT / "processors").rglob("*.py")):
        if file.name != "terminal.py" or file.parent.name != "processors":
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_nothing_is_printed_but_through_the_terminal() -> None:
    """No command has a way of its own to the terminal, so none can forget to clean what it shows."""
    ways = {"print", "typer.echo", "click.echo", "typer.secho", "Console", "rich.print", "sys.stdout.write",
            "sys.stderr.write", "Text.from_markup", "Text.from_ansi", "Panel.fit"}  # fmt: skip
    found = [place for place, call in sources() if ast.unparse(call.func) in ways]
    assert found == []


# -- texts -------------------------------------------------------------------------------------------------------------


@hostile()
def test_a_text_is_shown_and_not_obeyed(text: str) -> None:
    """Nothing is left that a terminal obeys or that cannot be seen; what can be seen is all there."""
    shown = clean(text)
    assert not FORBIDDEN.search(shown)
    assert "\n" not in shown
    for letter in text:
        if letter.isprintable():
            assert letter in shown


@pytest.mark.parametrize(
    "text",
    ["Zoë", "👨‍👩‍👧‍👦", "❤️", "1️⃣", "🏳️‍🌈", "👩🏽‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "می‌خواهم", "क्‍ष", "山田 太郎", "مرحبا", "e\u0301", "☎︎", "🇩🇪"],
)
def test_scripts_and_emoji_stay_as_they_are(text: str) -> None:
    """Names of the whole world, and families, flags and hearts, are readable."""
    assert clean(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_the_text(text: str) -> None:
    """Of no text does anything reach the terminal that it obeys, on one line or on several."""
    assert not FORBIDDEN.search(clean(text))
    assert "\n" not in clean(text)
    assert not FORBIDDEN.search(clean(text, lines=True))


@given(st.text(st.characters(exclude_categories=())), st.sampled_from([1, 20, 40, 80]))
def test_a_console_cleans_what_nobody_cleaned(text: str, width: int) -> None:
    """Also where a table or a text was made without thinking of it."""
    on = screen(width)
    on.print(text)
    assert not FORBIDDEN.search(printed(on))


# -- commands ----------------------------------------------------------------------------------------------------------


def task(text: str) -> events.AgentTask:
    return events.AgentTask(
        task_id="7b0c", customer_id=text, decision_id="d", opened_at=NOW, policy="recovery", locale="en",
        journey_id=text, occasion="recover", team=text, title=text, text=text, why=text,
        due_at=NOW, useful_until=NOW + timedelta(days=1),
    )  # fmt: skip


def view(text: str) -> CustomerView:
    address = events.Address(channel=events.OutreachChannel.EMAIL, address=text)
    profile = events.Profile(name=text, locale=text, time_zone=text, addresses=(address,))
    state = events.JourneyState(
        customer_id=text, revision=1, updated_at=NOW, touchpoints=1, profile=profile, recent_events=b""
    )
    post = events.MentionPosted(event_id="e", customer_id=text, occurred_at=NOW, source=text, mention_id=text,
                                platform=text, text=text, sentiment=events.Sentiment.NEGATIVE)  # fmt: skip
    story = OutreachStory(outreach_id=text, decisions=(), request=None, outcomes=(), retraction=None, task=task(text))
    entry = Entry(at=NOW, kind="touchpoint", record=post, topic="t", partition=0, offset=1)
    return CustomerView(customer_id=text, state=state, timeline=(entry,), outreach=(story,), erased_at=None)


@hostile()
@pytest.mark.parametrize("width", [40, 80, 120])
def test_tasks_of_any_customer_are_seen(text: str, width: int) -> None:
    """A customer's name does not end the list, change it, or hide the next task."""
    on = screen(width)
    show_tasks((task(text), task("customer-2")), on, NOW + timedelta(hours=1))
    said = printed(on)
    assert not FORBIDDEN.search(said)
    assert "customer-2" in said
    assert re.sub(r"\s", "", clean(text)) in re.sub(r"\s", "", said)


@hostile()
@pytest.mark.parametrize("width", [40, 80, 120])
def test_any_customer_is_shown(text: str, width: int) -> None:
    """Name, address, zone, post and task are shown as they are written."""
    on = screen(width)
    show_customer(view(text), on)
    said = printed(on)
    assert not FORBIDDEN.search(said)
    assert re.sub(r"\s", "", clean(text)) in re.sub(r"\s", "", said)
    assert re.search(r"Timeline", said)


@hostile()
def test_dead_letters_and_experiments_of_any_name(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a stranger wrote into a record, a key, a header or a name of an arm is shown only."""
    letter = DeadLetter(
        reason=text, detail=text, topic=text, partition=0, offset=1, timestamp=0, reader=text, schema_id=None,
        key=text.encode(errors="surrogatepass"), value=b"x", headers=((text, text.encode(errors="surrogatepass")),),
    )  # fmt: skip
    monkeypatch.setattr(dlq, "_read", lambda: [Kept(letter=letter, partition=0, offset=3, at=0)])
    runner = CliRunner()
    for command in (["list"], ["list", "--each"], ["show", "0:3"]):
        result = runner.invoke(app, ["dlq", *command])
        assert result.exit_code == 0, result.output
        assert not FORBIDDEN.search(result.stdout)
        if "--json" not in command:
            assert json.loads(runner.invoke(app, ["dlq", *command, "--json"]).stdout)
    exposed = events.ExperimentExposed(
        event_id="e", customer_id="c", occurred_at=NOW, experiment=text, arm=text, policy="p", journey_id="j",
        bucket=0.5, shares={text: 1.0}, unit=text, playbook_version="1",
    )  # fmt: skip
    show_experiments(sample_ratio([exposed]))
    said = capsys.readouterr().out
    assert not FORBIDDEN.search(said)


@hostile()
def test_json_is_the_same_data(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON says exactly what is there, in characters that no terminal obeys."""
    say_json({text: [text]})
    said = capsys.readouterr().out
    assert not FORBIDDEN.search(said)
    assert json.loads(said) == {text: [text]}


@hostile()
def test_log_lines_of_a_role(text: str) -> None:
    """An operator who follows a role's log sees one line an entry, whatever a record's key was."""
    event = clean_event(None, "info", {"event": "refused", "key": text, "offset": 7})
    said = structlog.dev.ConsoleRenderer(colors=False)(None, "info", dict(event))
    assert not FORBIDDEN.search(str(said))
    assert "\n" not in str(said)


# -- widths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 10, 40, 60, 80, 100, 200])
def test_no_table_loses_anything(width: int) -> None:
    """Whatever the width, every cell is there whole: wrapped, or one below the other."""
    cells = (
        "overdue by 3 days",
        "care-leads",
        "call them about what went wrong on Friday",
        "customer-" + "x" * 50,
        "ü" * 30,
    )
    grid = Grid(("due", "team", "what", "customer", "task"), rigid=("due",), right=("team",))
    grid.add(*cells)
    on = screen(width)
    on.grid(grid)
    said = printed(on)
    for cell in cells:
        for letter in set(cell) - {" "}:
            assert said.count(letter) >= cell.count(letter)
    if width >= 10:
        assert max(map(len, said.splitlines())) <= width


def ran(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, encoding: str = "utf-8", columns: str = ""
) -> tuple[int, str]:
    """The command as the console script runs it, with its output piped."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("CARELINE_PLAYBOOK", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "argv", ["careline", *arguments])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(out, encoding=encoding, errors="backslashreplace"))
    with pytest.raises(SystemExit) as ended:
        main()
    sys.stdout.flush()
    return int(ended.value.code or 0), out.getvalue().decode(encoding)


def test_piped_lines_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read by grep has each entry on one line; COLUMNS asks for another width."""
    wide = ran(monkeypatch, "topics", "list")[1].splitlines()
    assert any("careline.outcomes" in line and "4 kinds" in line for line in wide)
    narrow = ran(monkeypatch, "topics", "list", columns="40")[1].splitlines()
    assert max(map(len, narrow)) <= 40


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "command",
    [
        ("outreach", "preview", "delay_care/notice", "--var", "name=Zoë 山田 😀"),
        ("playbook", "show"),
        ("outreach", "preview", "no/such Zoë 山田"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_an_output_that_cannot_show_it(
    command: tuple[str, ...], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a terminal has no letter for something it shows another, and nothing breaks."""
    code, said = ran(monkeypatch, *command, encoding=encoding)
    assert code in (0, 4)
    assert said.strip()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_in_an_output_that_cannot_show_it(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON stays JSON, and says the same."""
    command = ("outreach", "preview", "delay_care/notice", "--json", "--var", "name=Zoë 山田 😀\x1b[2J")
    _, said = ran(monkeypatch, *command, encoding=encoding)
    assert json.loads(said)["variables"]["name"] == "Zoë 山田 😀\x1b[2J"
