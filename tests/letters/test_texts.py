"""A playbook's own texts: what they may be made of, and how what they may not is told."""

from __future__ import annotations

import pytest

from processors.letters.errors import TemplateFault
from processors.letters.examples import example_items, examples
from processors.letters.sources import ALWAYS, NEEDED, PARTS, Sources
from processors.letters.templates import Templates
from processors.letters.texts import TextFault, check_texts
from tests.outreach.given import request


def own(**parts: str) -> dict[str, dict[str, dict[str, str]]]:
    """One letter of our own."""
    return {"mine/letter": {"en": {"subject": "words", "body": "words", **parts}}}


HOSTILE = {
    "{{ ''.__class__.__mro__ }}": "__mro__",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": "call",
    "{{ ''['__class__'] }}": "item",
    "{{ {}['a'].__class__ }}": "__class__",
    "{{ '' | attr('__class__') }}": "'attr'",
    "{{ ('%s' | format(clock)).__class__ }}": "__class__",
    "{{ '{0.__class__}'.format('') }}": "call",
    "{{ '%1000000000d' | format(1) }}": "'format'",
    "{{ '%1000000000d' % 1 }}": "(%)",
    "{{ name | center(1000000000) }}": "'center'",
    "{{ name | indent(1000000000) }}": "'indent'",
    "{{ name | replace('', name) }}": "'replace'",
    "{{ name | join(name) }}": "'join'",
    "{{ 'x' * 1000000000 }}": "(*)",
    "{{ 10 ** 10 ** 10 }}": "(**)",
    "{{ cycler.__init__.__globals__ }}": "__globals__",
    "{{ self.__init__.__globals__ }}": "__globals__",
    "{{ self }}": "'self'",
    "{{ _teller }}": "'_teller'",
    "{{ lipsum() }}": "call",
    "{{ name.mro() }}": "call",
    "{{ name.upper }}": "'upper'",
    "{{ {'a': 1}.get(*name) }}": "call",
    "{{ {'a': 1}.pop('a') }}": "call",
    "{{ name | default(*name) }}": "* or **",
    "{{ name[::-1] }}": "item",
    "{% for i in range(10 ** 9) %}x{% endfor %}": "loop",
    "{% for c in name recursive %}{{ loop(name) }}{% endfor %}": "loop",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}": "macro",
    "{% call name() %}{% endcall %}": "call block",
    "{% filter upper %}x{% endfilter %}": "filter block",
    "{% include '/etc/passwd' %}": "include",
    "{% include name %}": "include",
    "{% extends 'frame.html.jinja' %}": "extends",
    "{% block x %}{% endblock %}": "block",
    "{% import '/etc/passwd' as x %}": "word file",
    "{% import '../words.en.jinja' as x %}": "word file",
    "{% import name as x %}": "word file",
    "{% import 'words.xx.jinja' as x %}": "does not exist",
    "{% from 'words.en.jinja' import hello %}": "import",
    "{% set ns.x = 1 %}": "namespace",
    "{{ name is callable }}": "'callable'",
    "{% autoescape false %}{% endautoescape %}": "autoescape",
    "{{ name": "",
    "{% if %}": "",
    "{{ name | nothing }}": "'nothing'",
    "{{ 1 | round(999999999, 'floor') }}": "from 0 to 9",
    "{{ 1 | round(method='floor', precision=999999999) }}": "from 0 to 9",
    "{{ 1 | round(-999999999) }}": "from 0 to 9",
    "{{ wait_minutes | float | round(wait_minutes | int) }}": "from 0 to 9",
    "{{ 1 | round(1, name) }}": "'floor'",
    "{{ wait_minutes | int(0, 36) }}": "'int'",
    "{{ wait_minutes | int(base=36) }}": "'base'",
    "{{ wait_minutes | float(1e300) }}": "a literal number",
    "{{ name | trim('x' ~ name) }}": "literal",
    "{{ name | default([name, name]) }}": "literal",
    "{{ name | upper('x') }}": "nothing",
    "{{ name | money(1) }}": "a variable",
    "{{ " + "9" * 19_000 + " }}": "a number beyond",
    "{{ 0x" + "f" * 19_000 + " }}": "a number beyond",
    "{{ 0x" + "f" * 3_000 + " }}": "a number beyond",
    "{{ 1e999 }}": "a number beyond",
    "{{ 99999999999 - 1 }}": "a number beyond",
    "(" * 50 + "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}": "deep",
    "{{ " + "- " * 100 + "1 }}": "deep",
    "x" * 20_001: "longer",
    "{% set a = name %}" + "{% set a = a ~ a %}" * 30 + "{{ a }}": "could become longer",
    "{% set a %}{{ name }}{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 30: "could become longer",
    "{% set a = name %}" + "{% if name %}{% set a = a + a %}{% endif %}" * 30 + "{{ a }}": "could become longer",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_a_letter_cannot_leave_its_box(text: str) -> None:
    """Letters are written by people who are not programmers of this house: what loops, grows or reaches outside is
    refused when the playbook is read, with the place and what it is; no letter of it is ever written."""
    [fault] = check_texts(own(body=f"words\n{text}"))
    assert (fault.letter, fault.locale, fault.part) == ("mine/letter", "en", "body")
    assert HOSTILE[text] in fault.problem
    with pytest.raises(TemplateFault, match="mine/letter"):
        Templates(texts=own(body=f"words\n{text}"))


@pytest.mark.parametrize("text", ["{% for i in name %}{% endfor %}", "{{ name.x }}", "{{ 2 ** 9 }}", "{% if %}"])
def test_the_line_is_told(text: str) -> None:
    """A fault is found where the text says it."""
    [fault] = check_texts(own(body=f"one\ntwo\n{text}\nfour"))
    assert fault.line == 3
    assert str(fault).startswith("texts.mine/letter.en.body, line 3: ")


@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ name }}, it is {{ expected_at | clock }} on {{ expected_at | day }}: {{ wait_minutes | duration }}.",
        "{% if name %}Hello {{ name | upper }}{% elif reason == 'WEATHER' %}Hi{% else %}Hello{% endif %}",
        "{% set due = {'flight': 'leaves'}.get(subject_kind, 'arrives') %}It {{ due }}.",
        "{% import 'words.en.jinja' as words with context %}{{ words.hello }}",
        "{{ 'late' if wait_minutes | minutes > 60 and not gesture_title else 'soon' }} {{ 90 / 60 }}",
        "{{ wait_minutes | float | round(1, 'floor') }} {{ wait_minutes | int(default=-1) }} {{ name | trim('.') }}",
        "{{ name | default('you', true) }} {{ 12.5 | money('USD') }} {{ 90 | round }}",
        "{{ 'sooner' if expected_at is earlier_than promised_at else 'later' }}{# a remark #}{% raw %}{{{% endraw %}",
    ],
)
def test_what_a_letter_needs_is_there(text: str) -> None:
    """Conditions, words by kind, times as people say them."""
    assert check_texts(own(body=text)) == []
    assert Templates(texts=own(body=text)).render(request(template="mine/letter")).text


@pytest.mark.parametrize("value", ["inf", "1e300", "9" * 4_000, "9" * 400_000, "nan", "-1e11"])
@pytest.mark.parametrize("text", ["{{ x | float }}", "{{ x | float | round }}", "{{ x | int }}", "{{ x | duration }}"])
def test_what_is_counted_with_stays_small(text: str, value: str) -> None:
    """A length or a count that nobody can mean is not in a letter: it is left out, or the letter is not written."""
    letters = Templates(texts=own(body=f"words {text}"))
    try:
        one = letters.render(request(template="mine/letter", variables={"x": value})).text
    except TemplateFault:
        return
    assert "words 0" in one


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"notice": {}}, "texts.notice: not the name of a letter, such as delay_care/notice"),
        ({"mine/letter": {"klingon": {}}}, "texts.mine/letter.klingon: not a known language, such as de or de-AT"),
        (
            {"mine/letter": {"de": {"subject": "Gut"}}},
            "texts.mine/letter.de.body: is missing, and the package has no such letter",
        ),
        (
            {"delay_care/notice": {"it": {"subject": "Buone"}}},
            "texts.delay_care/notice.it.body: is missing, and the package has no such letter",
        ),
        ({"delay_care/notice": {"de": {"body": " "}}}, "texts.delay_care/notice.de.body: is empty"),
        (
            {"delay_care/notice": {"de": {"closing": "{{ nick_name }}"}}},
            "texts.delay_care/notice.de.closing: uses the variable 'nick_name', which delay_care/notice does not have",
        ),
        (
            {"delay_care/notice": {"de": {"greeting": "Hallo"}}},
            "texts.delay_care/notice.de.greeting: is not a part of a letter; use " + ", ".join(PARTS),
        ),
        (
            {"delay_care/notice": {"de-AT": {"closing": "x"}, "de_AT": {"closing": "x"}}},
            "texts.delay_care/notice.de_AT: is the same language as de-AT",
        ),
    ],
)
def test_what_is_wrong_is_named(texts: dict[str, dict[str, dict[str, str]]], said: str) -> None:
    """Letter, language and part, as they stand in the playbook."""
    assert [str(fault) for fault in check_texts(texts)] == [said]


def test_all_faults_are_told_at_once() -> None:
    """Nobody has to repair one to learn of the next."""
    texts = {"mine/letter": {"en": {"subject": "{{ a.b }}", "body": "{{ 2 ** 3 }}"}, "xx": {}}, "odd": {"en": {}}}
    assert [(fault.letter, fault.locale, fault.part) for fault in check_texts(texts)] == [
        ("mine/letter", "en", "subject"),
        ("mine/letter", "en", "body"),
        ("mine/letter", "xx", None),
        ("odd", None, None),
    ]
    assert isinstance(check_texts(texts)[0], TextFault)


@pytest.mark.parametrize("part", NEEDED)
def test_a_letter_must_say_something(part: str) -> None:
    """A part that was forgotten is found by name."""
    parts = {"subject": "words", "body": "words"}
    del parts[part]
    with pytest.raises(TemplateFault, match=part):
        Templates(texts={"mine/letter": {"en": parts}})


@pytest.mark.parametrize("part", NEEDED)
def test_a_letter_that_comes_out_empty_is_a_fault(part: str) -> None:
    """Nobody gets a letter that says nothing."""
    with pytest.raises(TemplateFault):
        Templates(texts=own(**{part: "{{ '' }}{# nothing #}"})).render(request(template="mine/letter"))


def test_every_letter_of_the_package_is_whole() -> None:
    """Each in English at least, each with an example of every variable it uses, each passing what a playbook must."""
    sources = Sources()
    assert "delay_care/notice" in sources.letters()
    for letter in sources.letters():
        assert "en" in sources.languages(letter)
        for language in sources.languages(letter):
            listed = {name for item in example_items(letter) for name in item}
            assert sources.letter(letter, language).needs <= set(examples()[letter]) | listed | ALWAYS, letter
