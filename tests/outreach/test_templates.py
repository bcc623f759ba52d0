"""The letters themselves, and what keeps them safe."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from processors.outreach import templates
from processors.outreach.errors import TemplateFault
from processors.outreach.templates import Templates
from streams.events import replace
from tests.outreach.given import UNKNOWN, VARIABLES, request

LETTERS = ["delay_care/notice", "delay_care/longer", "delay_care/revised", "delay_care/cancelled"]
LOCALES = ["en-US", "de-DE", "es-MX"]
PACKAGED = Templates()
PARTS = ("subject", "headline", "body", "gesture", "pickup", "closing")


class Page(HTMLParser):
    """What a mail program sees: the words, the links, whatever would be loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str | None] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.words))


def own(folder: Path, **parts: str) -> Templates:
    """Templates with one letter of our own, ``mine/letter``, its parts as given."""
    (folder / "mine").mkdir(exist_ok=True)
    source = "".join(
        f"{{% set {part} %}}{parts.get(part, 'words' if part in ('subject', 'body') else '')}{{% endset %}}\n"
        for part in PARTS
    )
    (folder / "mine" / "letter.en.jinja").write_text(source, encoding="utf-8")
    return Templates(folder=folder)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize(
    "reason", ["WEATHER", "CARRIER", "WAREHOUSE", "CUSTOMS", "PREDICTIVE", "OTHER", "FROM_THE_FUTURE"]
)
@pytest.mark.parametrize("kind", ["flight", "order", "something new"])
@pytest.mark.parametrize("known", [{}, UNKNOWN], ids=["all known", "little known"])
def test_every_letter_can_be_written(template: str, locale: str, reason: str, kind: str, known: dict[str, str]) -> None:
    """Whatever we know or do not know, in each language there is a whole letter: why we write, and a way to answer."""
    variables = {"reason": reason, "subject_kind": kind, **known}
    subject, text, html = PACKAGED.render(request(template=template, locale=locale, variables=variables))
    assert "\n" not in subject
    assert 10 < len(subject) < 110
    assert VARIABLES["description"] in text
    assert "We want you to hear it from us first." in text
    assert len(text) < 1400, "short"
    for leftover in ("None", "Undefined", "{{", "{%", " ,", " .", "..", "  "):
        assert leftover not in text.replace("-- \n", ""), leftover
    answer = {"en-US": "reply to this message", "de-DE": "auf diese Nachricht", "es-MX": "responda a este mensaje"}
    service = {"en-US": "service message", "de-DE": "Servicenachricht", "es-MX": "mensaje de servicio"}
    assert answer[locale] in text
    assert service[locale] in text
    page = Page(html)
    for paragraph in text.split("\n\n")[:-1]:
        if "https://" not in paragraph:
            assert paragraph in page.text
    assert page.links == ([] if known else [VARIABLES["gesture_link"]])
    assert not {"img", "script", "link", "iframe"} & set(page.tags)
    assert ("free wifi" in text) is not bool(known)


def test_an_early_notice_tells_what_we_know() -> None:
    """When it was due, when it is expected now, why, how long that is, the gesture and where to pick it up."""
    subject, text, _ = PACKAGED.render(request())
    assert subject == "Your flight is running late: now expected at 9:45 pm"
    for said in (
        "Hello Ana,",
        "because of the weather",
        "due to leave at 6:10 pm on Friday, February 8",
        "the new time is 9:45 pm, about 3.5 hours later than planned",
        "free wifi, and a book or film of your choice",
        "Pick it up here: https://care.example/g/abc?x=1&y=2",
        "Times are in Eastern Time.",
    ):
        assert said in text


def test_what_we_do_not_know_we_say() -> None:
    """Without a new time the letter says so, and a guess of ours is called a guess."""
    _, text, _ = PACKAGED.render(request(variables=UNKNOWN))
    assert "We do not know the new time yet." in text
    _, text, _ = PACKAGED.render(request(variables={"reason": "PREDICTIVE"}))
    assert "This is our own estimate; nobody has announced it yet." in text


@pytest.mark.parametrize(
    ("expected", "previous", "said"),
    [
        ("2013-02-09T02:45:00Z", "2013-02-09T01:45:00Z", "has moved again"),
        ("2013-02-09T01:00:00Z", "2013-02-09T01:45:00+00:00", "sooner than we last told you"),
        ("2013-02-08T23:10:00Z", "2013-02-09T01:45:00Z", "back on time"),
        ("2013-02-09T02:45:00Z", "", "We now have a time"),
        ("", "2013-02-09T01:45:00Z", "no longer holds"),
    ],
)
def test_a_revised_time_either_way(expected: str, previous: str, said: str) -> None:
    """Later, sooner, on time again, known at last, or open again: each in its own words."""
    variables = {"expected_at": expected, "previous_expected_at": previous}
    subject, text, _ = PACKAGED.render(request(template="delay_care/revised", variables=variables))
    assert said in text
    assert subject.startswith("Good news") == (said in ("sooner than we last told you", "back on time"))


def test_a_gesture_without_a_link_is_sent_on_request() -> None:
    """There is always a way to get it."""
    _, text, html = PACKAGED.render(request(variables={"gesture_link": ""}))
    assert "Just reply to this message and we will get it to you." in text
    assert Page(html).links == []


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", "21:45"), ("en", "9:45 pm"), ("de", "21:45 Uhr"), ("de-AT", "21:45 Uhr"), ("de_DE", "21:45 Uhr"),
        ("es", "la nueva hora es: 21:45"), ("es-MX", "la nueva hora es: 9:45 p.m."), ("es-MX-x-home", "9:45 p.m."),
        ("fr-FR", "9:45 pm"), ("", "9:45 pm"), ("klingon", "9:45 pm"), ("../../etc/passwd", "9:45 pm"),
    ],
)  # fmt: skip
def test_the_nearest_language_there_is(locale: str, said: str) -> None:
    """es-MX, then es, then English; the clock as it is read there."""
    assert said in PACKAGED.render(request(locale=locale)).text


def test_a_closer_letter_wins(tmp_path: Path) -> None:
    """A playbook's own letter for es-MX goes before the package's for es, and only there."""
    ours = PACKAGED.render(request(locale="es-MX")).text
    folder = tmp_path / "delay_care"
    folder.mkdir()
    source = (Path(templates.__file__).parent / "letters/delay_care/notice.es.jinja").read_text(encoding="utf-8")
    (folder / "notice.es-MX.jinja").write_text(source.replace("Sentimos la espera", "Qué pena la espera"), "utf-8")
    own_letters = Templates(folder=tmp_path)
    assert "Qué pena la espera" in own_letters.render(request(locale="es-MX")).text
    assert own_letters.render(request(locale="es-MX")).text != ours
    assert "Sentimos la espera" in own_letters.render(request(locale="es-ES")).text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "/etc/localtime", "UTC\x00"])
def test_an_unknown_zone_is_told_in_utc(zone: str) -> None:
    """Better a letter with the zone named than none."""
    _, text, _ = PACKAGED.render(request(time_zone=zone))
    assert "the new time is 2:45 am UTC" in text
    assert "Times are in UTC, as we do not know your time zone." in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_is_found_before_anything_is_sent(template: str, locale: str, name: str) -> None:
    """Each variable a letter mentions, on any day, must be there: letter and variable are named."""
    variables = {other: value for other, value in VARIABLES.items() if other != name}
    wanted = replace(request(template=template, locale=locale), variables=variables)
    if name == "previous_expected_at" and template != "delay_care/revised":
        assert PACKAGED.render(wanted).text, "only a revision speaks of the time before"
        return
    with pytest.raises(TemplateFault, match=name) as fault:
        PACKAGED.render(wanted)
    assert (fault.value.template, fault.value.variable) == (template, name)


@pytest.mark.parametrize(
    "name", ["delay_care/nope", "nope", "", "../secret", "delay_care/../frame", "foot", "frame.html"]
)
def test_an_unknown_letter_is_named(name: str) -> None:
    """A letter that does not exist is a fault, not an empty letter; and no path leads out of the letters."""
    with pytest.raises(TemplateFault) as fault:
        PACKAGED.render(request(template=name))
    assert fault.value.template == name


@pytest.mark.parametrize("variable", ["promised_at", "expected_at", "wait_minutes"])
@pytest.mark.parametrize("value", ["tomorrow", "2013-02-09T02:45:00", "nan"])
def test_a_value_that_makes_no_sense_is_a_fault(variable: str, value: str) -> None:
    """A time that is none, or has no zone, is not told to a customer."""
    with pytest.raises(TemplateFault):
        PACKAGED.render(request(variables={variable: value}))


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b", "x"])
def test_a_link_that_is_none_is_a_fault(link: str) -> None:
    """Only https, http, mailto and tel are links."""
    with pytest.raises(TemplateFault):
        PACKAGED.render(request(variables={"gesture_link": link}))


def test_what_customers_are_called_is_never_markup() -> None:
    """A name is a name: no tag, no template and no line break comes out of it."""
    name = "<script>alert(1)</script>\r\nBcc: x {{ 7 * 7 }} {% raw %}"
    subject, text, html = PACKAGED.render(request(variables={"name": name, "description": name}))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Bcc: x {{ 7 * 7 }} {% raw %}" in html
    assert "script" not in Page(html).tags
    assert "{{ 7 * 7 }}" in text
    assert "\r" not in text + subject


@pytest.mark.parametrize(
    "escape",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ ('%s' | format(clock)).__class__ }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{0.__class__}' | format }}{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{% set x = name.__class__ %}{{ x }}",
        "{{ name.mro() }}",
    ],
)
def test_a_letter_cannot_leave_its_box(tmp_path: Path, escape: str) -> None:
    """Letters are written by people who are not programmers of this house: none reaches beyond its variables."""
    with pytest.raises(TemplateFault):
        own(tmp_path, body=f"words {escape}").render(request(template="mine/letter"))


@pytest.mark.parametrize("name", ["headline", "closing"])
def test_a_letter_must_be_whole(tmp_path: Path, name: str) -> None:
    """A part that was forgotten is found by name."""
    letters = own(tmp_path)
    file = tmp_path / "mine" / "letter.en.jinja"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if f"set {name} " not in line))
    with pytest.raises(TemplateFault, match=name):
        letters.render(request(template="mine/letter"))


@pytest.mark.parametrize("parts", [{"subject": "{{ '' }}"}, {"body": "{# nothing #}"}, {"body": "{{ name"}])
def test_an_empty_or_broken_letter_is_a_fault(tmp_path: Path, parts: dict[str, str]) -> None:
    """Nobody gets a letter that says nothing."""
    with pytest.raises(TemplateFault):
        own(tmp_path, **parts).render(request(template="mine/letter"))


def test_a_letter_of_our_own_is_escaped_too(tmp_path: Path) -> None:
    """Whoever writes a letter writes words: what looks like a tag is shown, not obeyed."""
    _, text, html = own(tmp_path, body="5 < 6 & <b>{{ name }}</b>").render(request(template="mine/letter"))
    assert "5 < 6 & <b>Ana</b>" in text
    assert "5 &lt; 6 &amp; &lt;b&gt;Ana&lt;/b&gt;" in html
