"""What `careline outreach preview` shows is one letter in one language, its examples included."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from processors.cli import app
from processors.letters.examples import examples
from processors.letters.sources import Sources
from processors.playbook.packaged import packaged_playbook
from tests.letters.test_letters import LANGUAGES, LETTERS, LOCALES, TASKS, TO_CUSTOMERS

SAID = ("description", "gesture_title", "summary", "text")
"""Variables that are somebody's words, and so in a language."""

runner = CliRunner()


def previewed(letter: str, *options: str) -> dict[str, Any]:
    """The preview as data."""
    result = runner.invoke(app, ["outreach", "preview", letter, "--json", *options])
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout)
    return said


@pytest.mark.parametrize("name", sorted({letter.split("/")[0] for letter in LETTERS}))
def test_what_an_example_says_stands_in_every_language(name: str) -> None:
    """Of each letter; ids, names, links and codes are the same in all of them."""
    file = files("processors.letters").joinpath("written", name, "examples.yaml")
    for letter, variables in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        listed = [(name, value) for item in variables.pop("items", ()) for name, value in item.items()]
        for variable, value in [*variables.items(), *listed]:
            if variable in SAID and value:
                assert sorted(value) == list(LANGUAGES), f"{name}/{letter}: {variable}"
                assert len(set(value.values())) == len(LANGUAGES), f"{name}/{letter}: {variable}"
            else:
                assert not isinstance(value, dict), f"{name}/{letter}: {variable}"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("letter", TO_CUSTOMERS)
def test_a_preview_is_in_the_language_it_is_asked_for(letter: str, locale: str) -> None:
    """Words, examples, `lang`; no other language's example in it, no word missing, and every link leads somewhere."""
    one = previewed(letter, "--locale", locale)
    assert one["locale"] == locale
    assert set(re.findall(r'lang="([^"]*)"', one["html"])) == {locale}
    whole = f"{one['subject']}\n{one['text']}\n{one['short']}\n{html.unescape(one['html'])}"
    own, others = examples(locale)[letter], [examples(each)[letter] for each in LOCALES if each != locale]
    for name in SAID:
        if name in own:
            assert one["variables"][name] == own[name]
            assert not any(other[name] in whole for other in others if other[name] != own[name])
    if gesture := own.get("gesture_title"):
        assert gesture in one["text"]
    for missing in ("None", "undefined", "{{", "}}", "{%", "  ", "()", " ,", " ."):
        assert missing not in one["text"]
    links = re.findall(r"https?://[^\s\"<>]+", one["text"])
    assert links
    assert set(re.findall(r'href="([^"]*)"', one["html"])) == {link.rstrip(".,;") for link in links}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", TASKS)
def test_a_task_is_previewed_in_staff_s_language(letter: str, language: str, tmp_path: Path) -> None:
    """Whatever language the customer reads: a task and its example are in the playbook's own."""
    own = tmp_path / "playbook.yaml"
    packaged = packaged_playbook()
    assert re.search(r"(?m)^default_locale: \S+", packaged)
    own.write_text(re.sub(r"(?m)^default_locale: \S+", f"default_locale: {language}", packaged), "utf-8")
    one = previewed(letter, "--playbook", str(own), "--locale", "fr" if language != "fr" else "de")
    assert one["locale"] == language
    for name in set(SAID) & set(one["variables"]):
        assert one["variables"][name] == examples(language)[letter][name]
        assert one["variables"][name] in one["text"]


def test_a_language_without_letters_has_english_examples() -> None:
    """The letter is English, too."""
    one = previewed("delay_care/notice", "--locale", "it")
    assert one["locale"].startswith("en")
    assert one["variables"] == dict(examples()["delay_care/notice"])


def test_every_letter_has_examples() -> None:
    """In each language the same variables."""
    for language in LANGUAGES:
        assert set(examples(language)) == set(Sources().letters())
        assert {one: set(examples(language)[one]) for one in LETTERS} == {one: set(examples()[one]) for one in LETTERS}
