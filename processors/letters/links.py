"""Links in letters that do something: today the one that ends letters. Each says whose it is, and is signed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer

from processors.letters.guessable import check_secret
from processors.letters.settings import LetterSettings
from streams.errors import CarelineError, SettingsError
from streams.events import Address, OutreachChannel, OutreachRequested, Purpose
from streams.http.destinations import is_loopback

_BASE = re.compile(r"[!#-;=?-~]+")  # of ASCII what may stand between the brackets of a header

UNSUBSCRIBE = "/unsubscribe/"
"""Where the gateway answers for these links; the token follows."""

_LONGEST_TOKEN = 4096
_SALT = "careline.unsubscribe.1"


class BadLink(CarelineError):
    """The link was not made by us, or was changed on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscription:
    """What a link to unsubscribe says: no more letters of this purpose by this channel."""

    outreach_id: str
    customer_id: str
    channel: OutreachChannel
    purpose: Purpose
    locale: str


class Links:
    """Makes the links and reads them again. The same letter has the same link: it holds no time and no chance.

    The token is signed, not secret: whoever has the letter can read in it what the letter itself says, and the
    customer's id.
    """

    def __init__(self, *, secret: str, base: str, before: str | None = None) -> None:
        """``base`` is what our links begin with, ``https://care.example``; links signed with the secret ``before`` are
        read, and none is made with it. Raises SettingsError."""
        parts = urlsplit(base)
        whole = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not (whole and safe and _BASE.fullmatch(base)):
            raise SettingsError("CARELINE_PUBLIC_URL: https:// and a host are wanted, and perhaps a path")
        stays_here = is_loopback(parts.hostname or "")
        check_secret(secret, "CARELINE_LINK_SECRET", stays_here=stays_here)
        if before:
            check_secret(before, "CARELINE_LINK_SECRET_BEFORE", stays_here=stays_here)
        self._base = base.rstrip("/")
        self._serializer = URLSafeSerializer(
            [before, secret] if before else secret,  # the last one signs
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    @classmethod
    def of(cls, settings: LetterSettings) -> Self | None:
        """As the settings say; None without a public URL. Raises SettingsError."""
        if settings.public_url is None:
            return None
        if settings.link_secret is None:
            raise SettingsError("CARELINE_LINK_SECRET: needed with CARELINE_PUBLIC_URL")
        before = settings.link_secret_before
        return cls(
            secret=settings.link_secret.get_secret_value(),
            base=settings.public_url,
            before=None if before is None else before.get_secret_value(),
        )

    def unsubscribe(self, request: OutreachRequested, address: Address) -> str:
        """The link that ends letters like this one at this channel."""
        said = [request.outreach_id, request.customer_id, address.channel, request.purpose, request.locale]
        return f"{self._base}{UNSUBSCRIBE}{self._serializer.dumps(said)}"

    def read(self, token: str) -> Unsubscription:
        """What the token says. Raises BadLink for one that is not ours."""
        if len(token) > _LONGEST_TOKEN:
            raise BadLink("the link is too long to be one of ours")
        try:
            outreach_id, customer_id, channel, purpose, locale = self._serializer.loads(token)
            return Unsubscription(
                outreach_id=str(outreach_id),
                customer_id=str(customer_id),
                channel=OutreachChannel(channel),
                purpose=Purpose(purpose),
                locale=str(locale),
            )
        except (BadData, ValueError, TypeError) as error:
            raise BadLink("the link is not one of ours, or not whole") from error
