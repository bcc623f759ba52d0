"""Languages in a playbook: what is rejected, what is missing, and that no letter mixes two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from processors.cli import app
from processors.journey.playbook import Playbook
from processors.letters.templates import Templates
from processors.playbook import PlaybookRefused, playbook_from
from streams.events import OutreachRequested
from tests.journey.given import delay, given, profile
from tests.playbook.good import GOOD, WHOLE, changed, dumped, written

runner = CliRunner()

ITALIAN: dict[str, Any] = {
    "delay_care/notice": {"it": {"subject": "In ritardo", "body": "Ci dispiace.", "gesture": "{{ gesture_title }}"}},
    "foot": {"it": {"foot": "Messaggio di servizio. Perché scriviamo: {{ why }}", "stop": "Annulla l'iscrizione"}},
    "why": {"it": {"delay_care": "Aspettare è già difficile."}},
}
TITLES = {"en": "a book", "de": "ein Buch", "it": "un libro"}


def loaded(content: dict[str, Any]) -> Playbook:
    """Return the playbook with that content."""
    return playbook_from(dumped(content).encode(), where="p")


def refused(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return its faults, by field."""
    with pytest.raises(PlaybookRefused) as raised:
        loaded(content)
    return [(fault.field, fault.problem) for fault in raised.value.faults]


def asked(book: Playbook, locale: str | None, minutes: int = 60) -> OutreachRequested:
    """Return the request for a customer with that locale whose flight is late."""
    (one,) = given(profile(locale=locale), playbook=book).when(delay(minutes=minutes)).requests
    return one


def text(book: Playbook, one: OutreachRequested) -> str:
    """Return the letter as that playbook writes it."""
    return Templates.of(book).render(one, unsubscribe="https://care.example/u/1").text


@pytest.mark.parametrize("locale", ["de", "DE", "de_DE", "de-AT", "deu"])
def test_a_title_that_is_missing_turns_the_whole_letter(locale: str) -> None:
    """The book has a German title and the movie has none: the letter with the book is all German, the one with the
    movie all English."""
    book = loaded(GOOD)
    german, english = asked(book, locale), asked(book, locale, minutes=150)
    assert german.locale.startswith("de")
    assert (german.gesture and german.gesture.title, german.why[:6]) == ("ein Buch", "Warten")
    assert "Guten Tag" in text(book, german)
    assert (english.locale, english.gesture and english.gesture.title, english.why[:7]) == ("en", "a movie", "Waiting")
    assert text(book, english).startswith("Hello Ana,")
    assert "Why we wrote" in text(book, english)


def test_an_arm_without_the_language_turns_all_arms() -> None:
    """If one arm of an experiment lacks the language, all arms are in the default one, so that they differ in nothing
    else."""
    arm = {"name": "poster", "share": 0.5, "gestures": {"book": {"code": "poster", "title": {"en": "x"}, "cost": "1"}}}
    trial = {
        "key": "k",
        "policy": "delay_care",
        "seed": "k",
        "coverage": 1.0,
        "arms": [{"name": "usual", "share": 0.5}, arm],
    }
    for locale in ("de", "en"):
        assert asked(loaded(GOOD | {"experiments": [trial]}), locale).locale == "en"


def test_a_language_of_its_own_is_whole() -> None:
    """With letter, footer, why and title in the playbook, a letter is all in a language that we do not provide."""
    content = changed("delay_care default gestures 0 title", TITLES, of=GOOD | {"texts": ITALIAN})
    book = loaded(content)
    one = asked(book, "it-IT")
    assert (one.locale, one.gesture and one.gesture.title) == ("it-IT", "un libro")
    letter = text(book, one)
    for said in ("Ci dispiace.", "un libro", "Messaggio di servizio.", "Aspettare è già difficile.", "Annulla"):
        assert said in letter
    without = loaded(GOOD | {"texts": ITALIAN})
    assert asked(without, "it-IT").locale == "en"
    assert "Ci dispiace" not in text(without, asked(without, "it-IT"))


@pytest.mark.parametrize(
    ("taken", "field", "said"),
    [
        ("foot", "texts.delay_care/notice.it", "no foot in this language"),
        ("why", "texts.delay_care/notice.it", "no why in this language; write texts.why.it.delay_care"),
        ("foot it stop", "texts.foot.it.stop", "is missing"),
    ],
)
def test_a_letter_that_could_only_be_mixed_is_refused(taken: str, field: str, said: str) -> None:
    """A letter without a footer or a why in its language is rejected, because it could never be sent."""
    content = changed(f"texts {taken}", None, of=GOOD | {"texts": ITALIAN})
    assert any(at == field and said in problem for at, problem in refused(content))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("texts why it delay_care", "Because {{ name }} waits", "plain text"),
        ("texts why it delay_care", "one\n\ntwo", "one line"),
        ("texts why it kindness", "Perché sì", "not a policy"),
        ("texts foot it foot", "{{ gesture_title }}", "'gesture_title'"),
        ("texts foot it foot", "{% for a in b %}{% endfor %}", "a loop"),
        ("texts foot it foot", "  ", "is empty"),
        ("texts foot it body", "x", "use foot, stop"),
        ("texts foot xx", {"foot": "a", "stop": "b"}, "not a known language"),
    ],
)
def test_a_slip_in_the_foot_or_the_why_is_told(path: str, value: Any, said: str) -> None:
    """Mistakes in the footer and the why are reported like those in letters."""
    (fault,) = refused(changed(path, value, of=GOOD | {"texts": ITALIAN}))
    assert fault[0] == ".".join(path.split(" "))
    assert said in fault[1]


@pytest.mark.parametrize(
    ("default", "field", "said"),
    [
        ("it", "default_locale", "texts.delay_care/cancelled.it"),
        ("zh-Hant", "default_locale", "texts.foot"),
        ("xx", "default_locale", "not a known language"),
        ("de-AT", "delay_care.default.gestures.1.title", "no text in de-AT, the default_locale"),
        ("fr", "delay_care.default.gestures.0.title", "no text in fr, the default_locale"),
    ],
)
def test_a_default_that_is_not_written_is_refused(default: str, field: str, said: str) -> None:
    """A default language in which something is missing is rejected."""
    faults = [*refused(GOOD | {"default_locale": default})]
    if default == "zh-Hant":
        assert [at for at, _ in faults if at == field] == [field]
    else:
        assert any(at == field and said in problem for at, problem in faults), faults


def test_a_default_that_is_whole_is_taken() -> None:
    """A complete default language is accepted in any spelling, and its region sets the format of dates."""
    content = changed("delay_care default gestures 1 title", {"en": "a movie", "de": "ein Film"})
    content = changed("delay_care default cancelled title", {"en": "a hotel", "de": "ein Hotel"}, of=content)
    book = loaded(content | {"default_locale": "de_at"})
    assert asked(book, "it").locale == "de-AT"
    assert text(book, asked(book, None)).startswith("Guten Tag Ana,")


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    """With ``--locale``, check lists every missing text and title by field, and exits with code 1."""
    file = written(tmp_path, WHOLE)
    result = runner.invoke(app, ["playbook", "check", str(file), "--locale", "pt_BR"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "all is well" in lines[0]
    assert lines[1] == "Missing in pt-BR; letters that need it are written in en:"
    assert "  delay_care.default.gestures.0.title.pt-BR" in lines
    assert "  texts.out_of_stock_save/save_short.pt-BR" in lines
    assert not any("foot" in line or "delay_care/notice" in line for line in lines), "those we have"
    result = runner.invoke(app, ["playbook", "check", str(file), "--locale", "it", "--json"])
    fields = json.loads(result.stdout)["missing"]["it"]
    assert {"texts.foot.it", "texts.why.it.delay_care", "texts.delay_care/notice.it"} <= set(fields)


@pytest.mark.parametrize("locale", ["en", "de", "es-MX", "pt-BR", "fr-CA"])
def test_our_own_is_whole(locale: str) -> None:
    """For each language that Careline provides check exits with code 0."""
    result = runner.invoke(app, ["playbook", "check", "--locale", locale])
    assert (result.exit_code, "Missing" in result.stdout) == (0, False)


def test_check_wants_a_language() -> None:
    """An unknown language is an error of the command line, code 2."""
    result = runner.invoke(app, ["playbook", "check", "--locale", "klingon"])
    assert result.exit_code == 2
    assert "unknown language" in result.stderr
