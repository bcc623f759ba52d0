"""Letters as short messages: SMS, push and every other service that Apprise supports (https://appriseit.com)."""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import apprise

from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.handover import Handover
from processors.outreach.errors import Ambiguous, ChannelError, Refused, TryLater
from streams.errors import SettingsError
from streams.events import OutreachChannel

_PLACE = "{address}"
_NUMBER = "15555550100"  # a fictitious number
_TELEPHONE = re.compile(r"\+?[1-9]\d{5,14}")
_STEPS = frozenset({".", ".."})
_SPACERS = re.compile(r"[\s()./-]")

_SOCKET = "Socket Exception: "
_ANSWERED = re.compile(r"\berror=(?P<code>\d+)")
_NEVER_CONNECTED = re.compile(
    # no address can imitate this text, because it has a space and a URL has none
    r"\(Caused by (NewConnectionError|NameResolutionError|ConnectTimeoutError|SSLError\(SSLCertVerificationError)\("
)
_LATER = frozenset({408, 425, 429})
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0

# Apprise reports what went wrong only in its log. It is read here and not propagated, because it contains addresses.
_log = logging.getLogger("apprise")
_log.setLevel(logging.DEBUG)
_log.propagate = False


class AppriseChannel:
    """Hands letters to one Apprise service, each to one address.

    Apprise's services have no idempotency key, and return only whether a message succeeded. Their log shows whether
    the service was never connected (TryLater) or answered with an error (Refused, or TryLater for 408, 425, 429 and
    5xx); if it shows neither, the result is unknown: Ambiguous.
    """

    def __init__(
        self, *, kind: OutreachChannel, url: str, setting: str, idempotent: bool = False, at_once: int = 8
    ) -> None:
        """``kind`` is SMS or PUSH; ``url`` an Apprise URL with ``{address}`` in place of the recipient; ``setting``
        names it in errors. At most ``at_once`` messages are in flight. Raises SettingsError, without the URL, which
        contains the service's password."""
        self.provider = f"apprise-{kind.lower()}"
        self.idempotent = idempotent
        self._kind = kind
        self._url = url
        if _PLACE not in url:
            raise SettingsError(f"{setting}: must be an Apprise URL that contains {_PLACE}")
        server = url.partition("://")[2].partition("/")[0].partition("?")[0]
        if server.count("@") > 1:  # part of the password would be taken for the host, and looked up in DNS
            raise SettingsError(f"{setting}: write an @ in a name or password as %40")
        if _PLACE in server:
            # otherwise a customer's address would decide which host is called
            raise SettingsError(f"{setting}: {_PLACE} must come after the host, not in it")
        if apprise.Apprise.instantiate(url.replace(_PLACE, _NUMBER), suppress_exceptions=True) is None:
            raise SettingsError(f"{setting}: Apprise does not accept this URL")
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=self.provider)
        self._closed = False

    async def send(self, letter: Letter) -> Receipt:
        """Send the letter's short form to its address. See Channel.send for what it raises."""
        with Handover(self.provider) as call:
            service = self._service(self._recipient(letter.address))
            if service is None:
                raise Refused(f"not an address for {self.provider}")
            title, body = self._words(letter)
            call.called()
            if self._closed:
                raise TryLater("the channel is closed")
            loop = asyncio.get_running_loop()
            call.leaving()
            sending = loop.run_in_executor(self._threads, partial(_notify, service, title, body))
            await asyncio.shield(sending)  # cancelling the task does not recall the message
            return Receipt(provider=self.provider, message_id=None)

    async def close(self) -> None:
        """Accept no more letters; those in flight may finish."""
        self._closed = True
        self._threads.shutdown(wait=False)

    def _recipient(self, address: str) -> str:
        if not address.isprintable() or not address.strip():
            raise Refused("not an address")
        if self._kind is not OutreachChannel.SMS:
            if not _STEPS.isdisjoint(address.split("/")):  # such segments would lead to another path of the service
                raise Refused("not an address")
            return address
        number = _SPACERS.sub("", address)
        if not _TELEPHONE.fullmatch(number):  # Apprise would drop it, and some services then message the sender
            raise Refused("not a telephone number")
        return number

    def _service(self, recipient: str) -> apprise.NotifyBase | None:
        url = self._url.replace(_PLACE, quote(recipient, safe=""))
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if not isinstance(service, apprise.NotifyBase):
            return None
        if "cto=" not in self._url:
            service.socket_connect_timeout = _CONNECT_SECONDS
        if "rto=" not in self._url:
            service.socket_read_timeout = _ANSWER_SECONDS
        return service

    def _words(self, letter: Letter) -> tuple[str, str]:
        link = letter.gesture.link if letter.gesture is not None else None
        if self._kind is OutreachChannel.PUSH and (letter.short or link):
            return letter.subject, letter.short or link or ""
        return "", letter.short or "\n".join(filter(None, (letter.subject, link)))


def _notify(service: apprise.NotifyBase, title: str, body: str) -> None:
    """Send the message, in a worker thread. Raises like Channel.send."""
    sender = apprise.Apprise()
    sender.add(service)
    try:
        result = sender.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT, log_level=logging.DEBUG)
    except BaseException as error:  # a SystemExit from the thread would end the role if it were passed on
        raise Ambiguous(f"unexpected error during the call: {type(error).__name__}") from error
    if result:
        return
    said = [entry.message for each in result.results for attempt in each.attempts for entry in attempt.logs]
    raise _why(said)


def _why(said: list[str]) -> ChannelError:
    for line in said:
        if line.startswith(_SOCKET):
            if _NEVER_CONNECTED.search(line):
                return TryLater("the service cannot be reached")
            return Ambiguous("the service had the message but did not answer")
    codes = [int(found["code"]) for line in said if (found := _ANSWERED.search(line))]
    if not codes:
        return Ambiguous("the service did not take the message, or its answer was lost")
    code = codes[-1]
    if code in _LATER or 500 <= code < 600:
        return TryLater(f"the service answered {code}", answered=code < 500)
    return Refused(f"the service answered {code}")
