"""The code of a coupon: whose it is can be told by those who have the secret, and nobody else can make one."""

from __future__ import annotations

import hashlib
from base64 import b32encode

import pytest
from pydantic import SecretStr

from processors.letters.coupons import Coupons, with_code
from processors.settings import Settings
from streams.errors import SettingsError
from streams.events import Address, OutreachChannel, OutreachRequested
from tests.outreach.given import VARIABLES, outreach_id, request
from tests.outreach.test_delivery import Providers

SECRET = "a secret between us and the shop"
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
COUPONS = Coupons(secret=SECRET)
SAVE = {
    "name": "Ana", "description": "boots, size 42", "seller": "Shoes & More", "link": "https://shop.example/boots",
    "price": "79.00", "currency": "EUR", "gesture_title": "ten percent off", "gesture_link": "",
    "gesture_code": "wanted",
}  # fmt: skip


def wanted(**changes: object) -> OutreachRequested:
    """Boots that could not be had, and a coupon for next time."""
    usual = {"template": "out_of_stock_save/save", "policy": "out_of_stock_save", "variables": SAVE}
    return request(**(usual | {"addresses": (MAIL,)} | changes))


def code_of(asked: OutreachRequested, coupons: Coupons | None = COUPONS) -> str:
    return with_code(asked, coupons).variables["gesture_code"]


def test_a_code_is_one_letters_and_one_customers() -> None:
    """The same letter has the same code, however often it is tried; any other letter or customer has another one."""
    assert code_of(wanted()) == code_of(wanted())
    others = [wanted(), wanted(customer_id="customer-8"), wanted(outreach_id=outreach_id(2))]
    assert len({code_of(one) for one in others}) == 3
    assert len(code_of(wanted())) == 10
    assert code_of(wanted()).isalnum()


def test_nobody_can_make_one() -> None:
    """What stands on topics is not enough: not the old unkeyed code, nor a hash of any id, nor another's secret."""
    asked = wanted()
    code = code_of(asked)
    public = (asked.outreach_id, asked.customer_id, asked.outreach_id + asked.customer_id, asked.decision_id)
    for text in public:
        for digest in (hashlib.blake2b(text.encode(), digest_size=5), hashlib.sha256(text.encode())):
            assert code[:8] != b32encode(digest.digest()).decode()[:8]
    assert code != code_of(asked, Coupons(secret="a secret of somebody else's"))


async def test_the_letter_carries_the_code_and_the_topic_does_not() -> None:
    """It is put in when the letter is written; whoever reads topics finds none."""
    to = Providers(coupons=COUPONS)
    asked = wanted()
    await to.deliver(asked)
    [letter] = [*to.mail.calls, *to.hook.calls]
    assert code_of(asked) in letter.text
    assert code_of(asked) not in repr(asked)


async def test_without_a_secret_there_is_no_code() -> None:
    """The letter says how else to have the gesture, and shows no word of ours in its place."""
    to = Providers()
    await to.deliver(wanted())
    [letter] = [*to.mail.calls, *to.hook.calls]
    assert "ten percent off" in letter.text
    assert "wanted" not in letter.text
    assert "code" not in letter.text.lower()


@pytest.mark.parametrize("variables", [VARIABLES, SAVE | {"gesture_code": ""}])
def test_a_letter_that_wants_none_has_none(variables: dict[str, str]) -> None:
    """A gesture that was withheld stays so."""
    asked = wanted(variables=variables)
    assert with_code(asked, COUPONS) == asked


@pytest.mark.parametrize("secret", ["short", "a" * 40, "for-trying-it-on-this-machine-only"])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    """At the start."""
    with pytest.raises(SettingsError, match="CARELINE_COUPON_SECRET") as told:
        Coupons.of(Settings(coupon_secret=SecretStr(secret)))
    assert secret not in str(told.value)
    assert Coupons.of(Settings()) is None
