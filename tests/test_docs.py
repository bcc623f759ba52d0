"""What the documents say is so: links lead somewhere, commands exist, tables are whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client import Counter

from processors.cli import app
from processors.journey.policy import Policy
from processors.metrics import catalogue
from processors.policies.table import table, with_table
from processors.settings import Settings
from streams.topics import Topics
from tests.journey.given import POLICIES

ROOT = Path(__file__).parent.parent
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]))
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\bcareline (?P<words>[a-z][a-z-]*(?:[ |][a-z][a-z-]*)*)")
NOT_SET = "not set"


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows(page: str, beginning: str) -> dict[str, list[str]]:
    """The table rows whose first cell is one such name in backticks, by that name."""
    found = re.findall(rf"^\| `({beginning}[a-zA-Z_]+)` \| (.*) \|$", text(page), re.MULTILINE)
    assert found, f"{page} has no such table"
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link into the project names a file or folder that is there."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    inside = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in inside if not (page.parent / target).exists()] == []


def anchors(page: Path) -> set[str]:
    """What a link into the page may name after the hash: its headings as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    """A reader lands on the section and not at the top of the page."""
    inside = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    named = [target.partition("#") for target in inside if "#" in target]
    lost = [f"{file}#{name}" for file, _, name in named if name not in anchors(page.parent / file if file else page)]
    assert lost == []


def test_the_glossary_has_each_term_once() -> None:
    """In the order of the alphabet, each with a sentence and the place where it is defined."""
    terms = re.findall(r"^\| ([a-z][a-z -]+) \| (.*) \| (.*) \|$", text("docs/glossary.md"), re.MULTILINE)[1:]
    assert len(terms) > 50
    assert [term for term, _, _ in terms] == sorted({term for term, _, _ in terms})
    assert [term for term, meaning, where in terms if not meaning.endswith(".") or "](" not in where] == []


def test_the_counts_of_types_are_right() -> None:
    """How many types of facts and outcomes there are on the touchpoints topic."""
    records = Topics().touchpoints.records
    facts = len([name for name in records if name.startswith("careline.touchpoint.")])
    assert f"| {facts} types of facts, and the {len(records) - facts} types of outcomes fed back |" in text(
        "docs/integrating.md"
    )


def test_the_methods_of_a_policy_are_counted_right() -> None:
    """Whoever writes a policy knows how much there is to write."""
    methods = [name for name in vars(Policy) if not name.startswith("_")]
    assert len(methods) == 8
    assert "`journey/policy.py` has eight methods" in text("CONTRIBUTING.md")


def test_every_decision_is_in_the_index() -> None:
    """Nobody has to guess which decisions there are."""
    pages = {page.name for page in (ROOT / "docs" / "adr").glob("0*.md")}
    assert set(LINK.findall(text("docs/adr/README.md"))) == pages


def test_every_decision_says_its_status_and_date() -> None:
    """On its page, and the date in the index too."""
    index = text("docs/adr/README.md")
    for page in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        begun = page.read_text(encoding="utf-8").partition("## Context")[0]
        dated = re.search(r"\n\nStatus: accepted.*\n\nDate: (\d{4}-\d{2}-\d{2})\n", begun, re.DOTALL)
        assert dated is not None, page.name
        assert re.search(rf"\({re.escape(page.name)}\) \| .* \| {dated[1]} \|\n", index), page.name


@cache
def commands() -> dict[str, Any]:
    """What can follow `careline`, by its words: ``stack up``, ``demo``; of groups the group itself too. A former name
    that is only refused is none."""
    root = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found[name] = command
        found |= {f"{name} {sub}": below for sub, below in getattr(command, "commands", {}).items() if not below.hidden}
    return found


def said(page: Path) -> Iterator[str]:
    """Every command that a page names, `dlq list|show` as two; words that are arguments are left out."""
    known = commands()
    code = re.findall(r"`[^`\n]+`|^```.*?^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for match in (match for part in code for match in COMMAND.finditer(part)):
        first, *rest = match["words"].split(" ")
        if first in known and hasattr(known[first], "commands") and rest:
            yield from (f"{first} {sub}" for sub in rest[0].split("|"))
        else:
            yield first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page: Path) -> None:
    """What a page tells people to type is a command."""
    assert [command for command in said(page) if command not in commands()] == []


def test_commands_are_found_in_the_pages() -> None:
    """The check above sees what it should."""
    found = set(said(ROOT / "README.md")) | set(said(ROOT / "CHANGELOG.md"))
    assert {"stack up", "topics apply", "run journeys", "customer", "dlq republish", "schemas list"} <= found


def test_every_metric_is_in_the_catalogue() -> None:
    """With its labels; and the catalogue names none that is not there."""
    listed = {name: cells[1] for name, cells in rows("docs/operating.md", "careline_").items()}
    real = {}
    for metric in catalogue():
        [described] = metric.describe()
        suffix = "_total" if isinstance(metric, Counter) else ""
        real[described.name + suffix] = ", ".join(metric._labelnames)
    assert len(real) > 20
    assert listed == real


def test_a_metric_says_of_itself_what_the_page_says() -> None:
    """Whoever reads /metrics and whoever reads the page read the same sentence first."""
    meanings = {name: cells[2] for name, cells in rows("docs/operating.md", "careline_").items()}
    for metric in catalogue():
        [described] = metric.describe()
        suffix = "_total" if isinstance(metric, Counter) else ""
        sentence = described.documentation.removesuffix(".")
        assert meanings[described.name + suffix].split(sentence)[0] == "", described.name


def test_every_setting_is_listed_with_its_default() -> None:
    """No setting has to be looked up in the code; none is listed that is not there."""
    listed = {name: cells[0].strip("`") for name, cells in rows("docs/settings.md", "CARELINE_").items() if cells[1:]}
    assert listed == {f"CARELINE_{name.upper()}": shown(name) for name in Settings.model_fields}


def shown(name: str) -> str:
    value = getattr(Settings(), name)
    if value is None:
        return NOT_SET
    plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def test_every_topic_is_documented() -> None:
    """With its key, and how long it is kept."""
    table = re.findall(
        r"^\| `(careline\.[a-z-]+)` \| (.*?) \| .* \| (.*?) \| .*? \|$", text("docs/integrating.md"), re.MULTILINE
    )
    real = []
    for topic in Topics().all():
        kept = "latest by key" if topic.retention is None else f"{topic.retention.days} days"
        real.append((Topics().full_name(topic), topic.key, kept))
    assert table == real


def test_every_policy_is_told_with_why_we_serve() -> None:
    """In the order of priority, in its own words."""
    assert with_table(text("docs/care.md")) == text("docs/care.md")
    assert [f"| `{policy.name}` |" in table() for policy in POLICIES] == [True] * len(POLICIES)


def test_every_reason_is_explained() -> None:
    """Whatever a decision may give as its reason, written there or as a constant, is in the page on care."""
    sources = (*(ROOT / "processors" / "journey").rglob("*.py"), *(ROOT / "processors" / "policies").rglob("*.py"))
    nodes = [node for source in sources for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))]
    constants = {
        target.id: node.value.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    given = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "reason"]
    reasons = {str(one.value) for one in given if isinstance(one, ast.Constant)}
    reasons |= {str(constants[one.id]) for one in given if isinstance(one, ast.Name) and one.id in constants}
    explained = set(re.findall(r"`([a-z_]+)`", text("docs/care.md")))
    assert reasons >= {"quiet_hours", "no_alternative", "answered", "gathering", "policy_failed"}
    assert reasons - explained == set()
