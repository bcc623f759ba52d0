"""The link that ends letters: whose it is stands in it, and nobody else can make one."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from processors.letters.links import BadLink, Links, Unsubscription
from processors.settings import Settings
from streams.errors import SettingsError
from streams.events import Address, OutreachChannel, Purpose
from tests.outreach.given import request

SECRET = "0123456789abcdef"
LINKS = Links(secret=SECRET, base="https://care.example/we/")
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")


def token(**changes: object) -> str:
    return LINKS.unsubscribe(request(**changes), MAIL).rpartition("/")[2]


def test_a_link_says_whose_it_is() -> None:
    """Outreach, customer, channel, purpose, language; the same letter has the same link, and no address is in it."""
    asked = request(purpose=Purpose.MARKETING, locale="de-AT")
    link = LINKS.unsubscribe(asked, MAIL)
    assert link.startswith("https://care.example/we/unsubscribe/")
    assert link == LINKS.unsubscribe(asked, MAIL)
    assert LINKS.read(link.rpartition("/")[2]) == Unsubscription(
        outreach_id=asked.outreach_id,
        customer_id=asked.customer_id,
        channel=OutreachChannel.EMAIL,
        purpose=Purpose.MARKETING,
        locale="de-AT",
    )
    assert len(link) < 300


@pytest.mark.parametrize(
    "change", [lambda it: it[:-1], lambda it: "x" + it, lambda it: it.swapcase(), lambda it: it.split(".")[0]]
)
def test_a_changed_link_is_none(change: object) -> None:
    """Not one letter of it."""
    with pytest.raises(BadLink):
        LINKS.read(change(token()))  # type: ignore[operator]


@pytest.mark.parametrize("bad", ["", "x", ".", "a.b", "\x00", "é", "A" * 10_000])
def test_what_is_no_link_is_said(bad: str) -> None:
    """Whatever somebody types."""
    with pytest.raises(BadLink):
        LINKS.read(bad)


def test_a_link_of_another_house_is_none() -> None:
    """Another secret, another link."""
    with pytest.raises(BadLink):
        Links(secret="another secret!!", base="https://care.example").read(token())


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"public_url": "https://care.example"}, "CARELINE_LINK_SECRET"),
        ({"public_url": "https://care.example", "link_secret": SecretStr("short")}, "CARELINE_LINK_SECRET"),
        ({"public_url": "http://care.example", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "care.example", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "https://", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "https://care.example/?x=1", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "https://care.example/a b", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
        ({"public_url": "https://care.example/>x", "link_secret": SecretStr(SECRET)}, "CARELINE_PUBLIC_URL"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, object], setting: str) -> None:
    """At the start, not at the first letter."""
    with pytest.raises(SettingsError, match=setting):
        Links.of(Settings(**changes))  # type: ignore[arg-type]


def test_without_a_public_url_there_are_no_links() -> None:
    """Letters go out without one."""
    assert Links.of(Settings()) is None
    assert Links.of(Settings(public_url="http://127.0.0.1:1", link_secret=SecretStr(SECRET))) is not None


def test_links_outlive_their_secret() -> None:
    """A new secret signs new links; those in letters already sent are read with the one before, and no older one."""

    def links(secret: str, before: str | None = None) -> Links:
        made = Links.of(
            Settings(
                public_url="https://care.example",
                link_secret=SecretStr(secret),
                link_secret_before=None if before is None else SecretStr(before),
            )
        )
        assert made is not None
        return made

    first, second, third = "the first secret", "the second secret", "the third secret"
    sent = links(first).unsubscribe(request(), MAIL).rpartition("/")[2]
    exchanged = links(second, before=first)
    assert exchanged.read(sent) == links(first).read(sent)
    fresh = exchanged.unsubscribe(request(), MAIL).rpartition("/")[2]
    assert fresh != sent
    assert links(second).read(fresh)
    for later in (links(second), links(third, before=second), links(second, before="")):
        with pytest.raises(BadLink):
            later.read(sent)


@pytest.mark.parametrize("before", ["short", "for-trying-it-on-this-machine-only"])
def test_a_secret_before_must_be_one(before: str) -> None:
    """It makes links as good as the one in use."""
    with pytest.raises(SettingsError, match="CARELINE_LINK_SECRET_BEFORE"):
        Links.of(
            Settings(
                public_url="https://care.example", link_secret=SecretStr(SECRET), link_secret_before=SecretStr(before)
            )
        )
