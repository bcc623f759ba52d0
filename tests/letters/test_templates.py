"""The letters themselves, and what keeps them safe."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from processors.letters.errors import TemplateFault
from processors.letters.templates import Templates
from processors.letters.wording import Written
from streams.events import replace
from streams.events.types import OutreachChannel, Purpose
from tests.outreach.given import UNKNOWN, VARIABLES, request

LETTERS = ["delay_care/notice", "delay_care/longer", "delay_care/revised", "delay_care/cancelled"]
LOCALES = ["en-US", "de-DE", "es-MX"]
PACKAGED = Templates()


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


def read(written: Written) -> tuple[str, str, str]:
    """Subject, text and page."""
    assert written.html is not None
    return written.subject, written.text, written.html


def own(**parts: str) -> Templates:
    """Templates with one letter of our own, ``mine/letter``, its parts as given."""
    return Templates(texts={"mine/letter": {"en": {"subject": "words", "body": "words", **parts}}})


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
    subject, text, html = read(PACKAGED.render(request(template=template, locale=locale, variables=variables)))
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
    subject, text, _ = read(PACKAGED.render(request()))
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
    _, text, _ = read(PACKAGED.render(request(variables=UNKNOWN)))
    assert "We do not know the new time yet." in text
    _, text, _ = read(PACKAGED.render(request(variables={"reason": "PREDICTIVE"})))
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
    subject, text, _ = read(PACKAGED.render(request(template="delay_care/revised", variables=variables)))
    assert said in text
    assert subject.startswith("Good news") == (said in ("sooner than we last told you", "back on time"))


def test_a_gesture_without_a_link_is_sent_on_request() -> None:
    """There is always a way to get it."""
    _, text, html = read(PACKAGED.render(request(variables={"gesture_link": ""})))
    assert "Just reply to this message and we will get it to you." in text
    assert Page(html).links == []


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", "21:45"), ("en", "9:45 pm"), ("de", "21:45 Uhr"), ("de-AT", "21:45 Uhr"), ("de_DE", "21:45 Uhr"),
        ("es", "la nueva hora es: 21:45"), ("es-MX", "la nueva hora es: 9:45 p.m."), ("es-MX-x-home", "9:45 p.m."),
        ("fr-FR", "21:45"), ("pt-BR", "21:45"), ("it", "9:45 pm"),
        ("", "9:45 pm"), ("klingon", "9:45 pm"), ("../../etc/passwd", "9:45 pm"),
    ],
)  # fmt: skip
def test_the_nearest_language_there_is(locale: str, said: str) -> None:
    """es-MX, then es, then English; the clock as it is read there."""
    assert said in PACKAGED.render(request(locale=locale)).text


def test_a_closer_letter_wins() -> None:
    """A playbook's own words for es-MX go before the package's for es, and only there; what it leaves out stays."""
    ours = PACKAGED.render(request(locale="es-MX")).text
    own_words = Templates(texts={"delay_care/notice": {"es_MX": {"closing": "Qué pena la espera, {{ name }}."}}})
    theirs = own_words.render(request(locale="es-MX")).text
    assert "Qué pena la espera, Ana." in theirs
    assert "Sentimos la espera" not in theirs
    assert theirs.split("\n\n")[:4] == ours.split("\n\n")[:4]
    assert own_words.render(request(locale="es-ES")) == PACKAGED.render(request(locale="es-ES"))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "/etc/localtime", "UTC\x00"])
def test_an_unknown_zone_is_told_in_utc(zone: str) -> None:
    """Better a letter with the zone named than none."""
    _, text, _ = read(PACKAGED.render(request(time_zone=zone)))
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
    "name",
    ["delay_care/nope", "nope", "", "../secret", "delay_care/../frame", "foot", "frame.html", "delay_care/words.en"],
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
    subject, text, html = read(PACKAGED.render(request(variables={"name": name, "description": name})))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Bcc: x {{ 7 * 7 }} {% raw %}" in html
    assert "script" not in Page(html).tags
    assert "{{ 7 * 7 }}" in text
    assert "\r" not in text + subject


def test_a_letter_of_our_own_is_escaped_too() -> None:
    """Whoever writes a letter writes words: what looks like a tag is shown, not obeyed."""
    _, text, html = read(own(body="5 < 6 & <b>{{ name }}</b>").render(request(template="mine/letter")))
    assert "5 < 6 & <b>Ana</b>" in text
    assert "5 &lt; 6 &amp; &lt;b&gt;Ana&lt;/b&gt;" in html


def test_the_link_to_unsubscribe_stands_in_the_foot() -> None:
    """In the text and on the page, in the letter's language; without a link there is no word of it."""
    link = "https://care.example/unsubscribe/token"
    for locale, said in (("en", "Unsubscribe from"), ("de", "abbestellen"), ("es", "Darse de baja")):
        _, text, html = read(PACKAGED.render(request(locale=locale), unsubscribe=link))
        assert text.rstrip().splitlines()[-1].endswith(f": {link}")
        assert said in text.splitlines()[-1]
        assert Page(html).links[-1] == link
        _, text, html = read(PACKAGED.render(request(locale=locale)))
        assert said not in text + html


@pytest.mark.parametrize(
    ("locale", "service", "marketing"),
    [
        ("en", "not advertising", "agreed to hear from us"),
        ("de", "keine Werbung", "zugestimmt"),
        ("es", "no es publicidad", "aceptó"),
    ],
)
def test_an_offer_never_says_that_it_is_no_advertising(locale: str, service: str, marketing: str) -> None:
    """The foot tells a service message from one for which consent was given."""
    said = PACKAGED.render(request(locale=locale)).text
    assert service in said
    assert marketing not in said
    said = PACKAGED.render(request(locale=locale, purpose=Purpose.MARKETING)).text
    assert marketing in said
    assert service not in said


def test_a_letter_without_times_does_not_speak_of_zones() -> None:
    """Nobody wonders about a time zone where no time is told."""
    assert "Times are in" not in own().render(request(template="mine/letter")).text
    told = own(body="{{ promised_at | clock }}").render(request(template="mine/letter")).text
    assert "Times are in Eastern Time." in told


def test_a_task_is_words_for_our_own_people() -> None:
    """No page, no foot, no link to unsubscribe."""
    letters = own(subject="Call {{ name }}", body="They wait.", closing="Thank you.")
    task = letters.render(request(template="mine/letter"), channel=OutreachChannel.AGENT_TASK, unsubscribe="https://x")
    assert (task.subject, task.text, task.html) == ("Call Ana", "They wait.\n\nThank you.\n", None)


def test_a_letter_may_have_a_short_form() -> None:
    """For SMS and push; not every letter needs one."""
    assert own().render(request(template="mine/letter")).short is None
    assert own(short="{{ name }}: late").render(request(template="mine/letter")).short == "Ana: late"


def test_the_page_carries_its_style_in_its_elements() -> None:
    """Mail programs that drop the style block show it all the same; the dark colours stay in the block."""
    html = read(PACKAGED.render(request()))[2]
    assert '<p style="margin: 0 0 16px;">Hello Ana,</p>' in html
    assert "@media (prefers-color-scheme: dark)" in html


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC", ""])
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_a_time_that_nobody_knows_is_not_told(letter: str, locale: str, zone: str, end: str) -> None:
    """A letter that was requested before such times were left out is sent, and counts no millions of days."""
    told = dict(VARIABLES) | {"expected_at": end, "previous_expected_at": end, "wait_minutes": "4193861039"}
    letter_of = replace(request(template=letter, locale=locale), time_zone=zone)
    written = PACKAGED.render(replace(letter_of, variables=told))
    unknown = PACKAGED.render(replace(letter_of, variables=told | {"expected_at": "", "previous_expected_at": ""}))
    assert (written.subject, written.text) == (unknown.subject, unknown.text)
    assert "2912" not in written.text.replace(",", "").replace(".", "")


def test_a_promise_for_the_end_of_the_calendar_is_no_fault() -> None:
    """It was kept so before; the letter says what else it knows."""
    for end in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"):
        for zone in ("America/New_York", "Pacific/Kiritimati"):
            told = dict(VARIABLES) | {"promised_at": end, "expected_at": ""}
            assert PACKAGED.render(
                replace(request(template=LETTERS[-1], locale="en-US"), time_zone=zone, variables=told)
            ).text
