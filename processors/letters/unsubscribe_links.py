"""Links in letters that trigger an action: today, the unsubscribe link. Each names its customer, and is signed."""

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

_BASE = re.compile(r"[!#-;=?-~]+")  # the ASCII characters that may stand between the angle brackets of a header

UNSUBSCRIBE = "/unsubscribe/"
"""The gateway's path for these links; the token follows."""

_LONGEST_TOKEN = 4096
_SALT = "careline.unsubscribe.1"


class BadLink(CarelineError):
    """The link was not created by us, or was altered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscription:
    """The content of an unsubscribe link: no more letters of this purpose on this channel."""

    outreach_id: str
    customer_id: str
    channel: OutreachChannel
    purpose: Purpose
    locale: str


class Links:
    """Creates the links and reads them back. The same letter has the same link: it contains no time and no nonce.

    The token is signed, not encrypted: anybody who has the letter can read it. It contains nothing but what the letter
    says, and the customer's id.
    """

    def __init__(self, *, secret: str, base: str, before: str | None = None) -> None:
        """``base`` is the beginning of our links, such as ``https://care.example``. Links signed with the former secret
        ``before`` are still accepted; new ones are signed with ``secret``. Raises SettingsError."""
        parts = urlsplit(base)
        whole = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not (whole and safe and _BASE.fullmatch(base)):
            raise SettingsError("CARELINE_PUBLIC_URL: must be https:// and a host, optionally with a path")
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
        """From the settings; None if they have no public URL. Raises SettingsError."""
        if settings.public_url is None:
            return None
        if settings.link_secret is None:
            raise SettingsError("CARELINE_LINK_SECRET: required with CARELINE_PUBLIC_URL")
        before = settings.link_secret_before
        return cls(
            secret=settings.link_secret.get_secret_value(),
            base=settings.public_url,
            before=None if before is None else before.get_secret_value(),
        )

    def unsubscribe(self, request: OutreachRequested, address: Address) -> str:
        """The link that unsubscribes from letters of this purpose on this channel."""
        said = [request.outreach_id, request.customer_id, address.channel, request.purpose, request.locale]
        return f"{self._base}{UNSUBSCRIBE}{self._serializer.dumps(said)}"

    def read(self, token: str) -> Unsubscription:
        """The content of the token. Raises BadLink if it is not ours."""
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
            raise BadLink("the link is not one of ours, or is incomplete") from error
