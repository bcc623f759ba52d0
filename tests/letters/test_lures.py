"""What publishers write cannot make a lure of our letters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from processors.letters.errors import TemplateFault
from processors.letters.lures import harmless, is_link, person
from processors.letters.templates import Templates
from streams.events import Gesture, OutreachChannel
from tests.outreach.given import VARIABLES, request

PACKAGED = Templates()

LURES = [
    "You won 1,000 dollars https://evil.example/now",
    "http://evil.example",
    "HTTPS:evil.example",
    "www.evil.example",
    "evil.example/prize",
    "Claim at evil.example",
    "Evil.Com",
    "write to win@evil.example",
    "mailto:win@evil.example?bcc=you",
    "tel:+19005550100",
    "bank.example:8443",
    "203.0.113.9/prize",
    "ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ",
    "evil\u200b.exam\u200dple/prize",
    "xn--e1afmkfd.xn--p1ai",
    "пример.рф",
]
NO_NAMES = [
    *LURES,
    "Call +1 900 555 0100 now",
    "Ana \u202ezuiR",
    "Ana\u2066x",
    "Ana\x07",
    "Ana\nRuiz",
    "A" * 81,
    "é" * 500_000,
]
NAMES = [
    "Ana",
    "Dr. Ana María Ruiz-O’Neill",
    "J. R. R. Tolkien",
    "Nguyễn Thị Minh Khai",
    "محمد علي",
    "می\u200cخواهم",
    "李小龍",
    "X Æ A-12",
    "Louis XIV",
    "Anne/Bert",
    "A" * 80,
]


def texts(template: str = "delay_care/notice", **changes: Any) -> str:
    """All of a letter: subject, text, page and short words."""
    one = PACKAGED.render(request(template=template, **changes), unsubscribe="https://care.example/u/1")
    return "\n".join(filter(None, (one.subject, one.text, one.html, one.short)))


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda name: name[:20])
@pytest.mark.parametrize("locale", ["en", "de", "fr"])
def test_what_is_no_name_is_not_greeted(name: str, locale: str) -> None:
    """Whoever is called by a link, a number to call or hidden characters gets the same letter without a name."""
    assert texts(locale=locale, variables=VARIABLES | {"name": name}) == texts(
        locale=locale, variables=VARIABLES | {"name": ""}
    )


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20])
def test_a_name_is_greeted(name: str) -> None:
    """Titles, initials, hyphens and every script stay what they are."""
    assert person(name) == name
    assert name.replace("’", "&#39;") in texts(variables=VARIABLES | {"name": name}) or name in texts(
        variables=VARIABLES | {"name": name}
    )


def test_a_missing_space_is_no_lure() -> None:
    """Ma.Teresa and the train to St.Gallen are written with the space that is missing, so that nothing links them."""
    assert person("Ma.Teresa") == "Ma. Teresa"
    assert person("J.R.R.Tolkien") == "J. R. R. Tolkien"
    assert harmless("train Zürich–St.Gallen") == "train Zürich–St. Gallen"
    assert harmless("St.Gallen/prize.example/x") == ""


@pytest.mark.parametrize("lure", LURES)
def test_what_a_thing_is_called_is_no_lure(lure: str) -> None:
    """A description that could be clicked is left out, of the letter and of every line of a letter about several
    things; the letter says what kind of thing it is."""
    plain = texts(variables=VARIABLES | {"description": ""})
    assert texts(variables=VARIABLES | {"description": lure}) == plain
    listed = texts("delay_care/several", **several(lure))
    assert listed == texts("delay_care/several", **several(""))
    assert "evil" not in listed


def several(description: str) -> dict[str, Any]:
    """A letter about two things, one of them of that description."""
    item = {
        "description": description,
        "subject_kind": "flight",
        "promised_at": "2013-02-08T23:10:00+00:00",
        "expected_at": "2013-02-09T02:45:00Z",
        "reason": "WEATHER",
        "cancelled": "",
        "over": "",
        "silent": "",
        "by_day": "",
        "next_update": "",
        "last": "",
        "delivered": "",
        "wait_minutes": "215",
        "previous_expected_at": "",
    }
    return {"variables": VARIABLES | {"count": "2"}, "items": (item, item | {"description": "two novels"})}


@pytest.mark.parametrize("variable", ["description", "seller"])
@pytest.mark.parametrize("lure", LURES)
def test_another_shop_is_no_lure(variable: str, lure: str) -> None:
    """What a shop's catalogue says of itself is words; only its link is a link."""
    offer = {
        "name": "Ana",
        "description": "desk lamp",
        "seller": "Hudson Books",
        "link": "https://hudson.example/1",
        "price": "12.00",
        "currency": "USD",
        "gesture_title": "",
        "gesture_link": "",
        "gesture_code": "",
    }
    save = "out_of_stock_save/save"
    assert texts(save, variables=offer | {variable: lure}) == texts(save, variables=offer | {variable: ""})


BAD_LINKS = [
    "http://shop.example/1",
    "https://shop.example@evil.example/",
    "https://user:word@evil.example/",
    "https://shop.example\\@evil.example/",
    "https://203.0.113.9/",
    "https://[2001:db8::1]/",
    "https://0x7f000001/",
    "https://localhost/",
    "https://-shop.example/",
    "https://shop..example/",
    "https://sh\u043ep.example/",
    "https://shop.example\u2044evil/",
    "https://shop.example/\u202efdp.exe",
    "https://shop.example/a b",
    "https://shop.example/\x00",
    "https://shop.example:99999999/",
    "https://shop.example/" + "x" * 2_000,
    "mailto:care@shop.example?bcc=you",
    "tel:+19005550100",
    "javascript:alert(1)",
    "data:text/html,x",
    "//shop.example/",
    "",
]


@pytest.mark.parametrize("value", BAD_LINKS, ids=lambda value: value[:40])
def test_a_link_leads_where_it_says(value: str) -> None:
    """A catalogue's link that is not https to a plain host is left out; a gesture's is a fault, on every channel."""
    assert not is_link(value)
    offer = {**dict.fromkeys(("gesture_title", "gesture_link", "gesture_code", "price", "currency"), ""), "name": "Ana",
             "description": "desk lamp", "seller": "Hudson Books", "link": value}  # fmt: skip
    assert texts("out_of_stock_save/save", variables=offer) == texts(
        "out_of_stock_save/save", variables=offer | {"link": ""}
    )
    if value:
        with pytest.raises(TemplateFault, match="not a link"):
            texts(variables=VARIABLES | {"gesture_link": value})
        gift = Gesture(code="book", title="a book", cost=Decimal(1), currency="USD", link=value)
        with pytest.raises(TemplateFault, match="not a link"):
            PACKAGED.render(request(gesture=gift), channel=OutreachChannel.SMS)


@pytest.mark.parametrize(
    "value",
    [
        "https://shop.example",
        "https://shop.example:8443/a?b=c&d=%20#e",
        "https://xn--mller-kva.example/",
        "https://a-b.c.shop.example/größe",
    ],
)
def test_a_plain_link_is_one(value: str) -> None:
    """Ports, queries and international hosts in the form that cannot deceive are fine."""
    assert is_link(value)


def test_staff_reads_what_was_written() -> None:
    """A task quotes the customer's own words, links and all; who they are is told by their id where a name is none."""
    escalation = PACKAGED.render(
        request(
            template="response_watch/escalation",
            variables={
                "name": "evil.example/x",
                "customer_id": "c-1",
                "channel": "CHAT",
                "matter": "",
                "closed_before": "",
                "summary": "see https://shop.example/broken",
                "opened_at": "2013-02-08T23:10:00+00:00",
                "waiting_minutes": "12",
                "due_at": "2013-02-08T23:50:00+00:00",
            },
        ),
        channel=OutreachChannel.AGENT_TASK,
    )
    assert "see https://shop.example/broken" in escalation.text
    assert "evil" not in escalation.subject + escalation.text
    assert "customer c-1" in escalation.subject
