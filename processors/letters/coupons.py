"""Codes of coupons: each belongs to one letter to one customer, and nobody without our secret can make one."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from typing import Self

from processors.letters.guessable import check_secret
from processors.letters.settings import LetterSettings
from streams.events import OutreachRequested, replace

CODE = "gesture_code"
"""The variable of a letter that holds the code. Whoever requests a letter puts anything there to have one."""

_CHARACTERS = 10  # of base32: 50 bits
_PURPOSE = "careline.coupon.1"


class Coupons:
    """Makes the codes. The same letter to the same customer has the same code."""

    def __init__(self, *, secret: str) -> None:
        """Raises SettingsError for a secret that can be guessed."""
        check_secret(secret, "CARELINE_COUPON_SECRET", stays_here=False)
        self._key = secret.encode()

    @classmethod
    def of(cls, settings: LetterSettings) -> Self | None:
        """As the settings say; None without a secret. Raises SettingsError."""
        secret = settings.coupon_secret
        return None if secret is None else cls(secret=secret.get_secret_value())

    def code(self, *, customer_id: str, outreach_id: str) -> str:
        """Ten letters and digits: the first of the base32 of an HMAC-SHA256 over purpose, outreach and customer, a line
        each. A shop that has the secret finds out in the same way whether a code is this customer's."""
        said = f"{_PURPOSE}\n{outreach_id}\n{customer_id}".encode("utf-8", "surrogatepass")
        return b32encode(hmac.new(self._key, said, hashlib.sha256).digest()).decode()[:_CHARACTERS]


def with_code(request: OutreachRequested, coupons: Coupons | None) -> OutreachRequested:
    """The request with its code where one is wanted; without ``coupons`` the letter goes without one, and says how else
    to have the gesture. Whatever stands in the request itself is no code: everybody who reads topics can see it."""
    if not request.variables.get(CODE):
        return request
    code = "" if coupons is None else coupons.code(customer_id=request.customer_id, outreach_id=request.outreach_id)
    return replace(request, variables={**request.variables, CODE: code})
