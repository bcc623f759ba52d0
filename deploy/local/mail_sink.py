"""A mail server that keeps every message as one file and passes none on: `python -m deploy.local.mail_sink`.

A message is in its file before 250 is answered, and survives the sink, however that ends; a power cut may lose the
latest messages (flushing each to disk would slow every sender down to the speed of the disk). To see how a sender copes
with a failing mail server, write a mode to `control.json` in its directory (`set_mode`); it is read for every message.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import signal
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger("careline.mail_sink")
CONTROL = "control.json"
# Above the limits of mail providers, so that the sink is never the one to refuse a large message.
_MOST_BYTES = 64 * 1024 * 1024
_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")


class Mode(StrEnum):
    """How the sink treats a message."""

    OK = "ok"
    """Stored, and answered 250."""
    REFUSE = "refuse"
    """Not stored, and answered with `code` (default 451, try later; 5xx is permanent)."""
    HANG = "hang"
    """Not stored, and not answered while the mode lasts; then answered 451."""
    DROP_AFTER_DATA = "drop_after_data"
    """Stored, but the connection is cut before the answer, so that the sender cannot know."""


def set_mode(directory: Path, mode: Mode, *, code: int | None = None) -> None:
    """Switch the mode of the sink that stores its files in `directory`, from the next message on."""
    wanted: dict[str, object] = {"mode": mode.value} | ({} if code is None else {"code": code})
    fresh = directory / f".{CONTROL}.{os.getpid()}"
    fresh.write_text(json.dumps(wanted))
    fresh.replace(directory / CONTROL)


def read_mode(directory: Path) -> tuple[Mode, int]:
    """The current mode, and the code for refusals; (OK, 451) without a control file.

    Raises ValueError if the file contains anything but a mode and a code from 400 to 599.
    """
    try:
        raw = json.loads((directory / CONTROL).read_text())
    except FileNotFoundError:
        return Mode.OK, 451
    if not isinstance(raw, dict):
        raise ValueError(f"not an object: {raw!r}")
    code = raw.get("code", 451)
    if not isinstance(code, int) or not 400 <= code <= 599:
        raise ValueError(f"not a code to refuse with: {code!r}")
    return Mode(raw.get("mode", Mode.OK.value)), code


class MailSink:
    """An aiosmtpd handler that stores messages in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        found = (re.search(r"-(\d{6,})-.*\.eml$", name) for name in os.listdir(directory))
        self._sequence = count(max((int(match.group(1)) for match in found if match), default=0) + 1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store the message, or do what the mode says. Returns the answer to the sender."""
        del session
        try:
            mode, code = read_mode(self._directory)
        except ValueError as error:
            log.error("%s is unusable, so nothing is accepted: %s", CONTROL, error)
            return f"451 4.3.5 {CONTROL} is unusable"
        if mode is Mode.REFUSE:
            return f"{code} {code // 100}.7.0 Refused, as {CONTROL} demands"
        if mode is Mode.HANG:
            return await self._hang()
        try:
            name = self._keep(envelope)
        except OSError as error:
            log.exception("a message was not kept")
            return f"451 4.3.0 Not kept: {error.strerror}"
        log.debug("kept %s", name)
        if mode is Mode.DROP_AFTER_DATA and server.transport is not None:
            server.transport.abort()
        return "250 2.0.0 Kept"

    async def _hang(self) -> str:
        # Ends when the sender gives up, because aiosmtpd then cancels the session.
        while True:
            await asyncio.sleep(0.1)
            with contextlib.suppress(ValueError):
                if read_mode(self._directory)[0] is not Mode.HANG:
                    return "451 4.3.2 Not kept, try again"

    def _keep(self, envelope: Envelope) -> str:
        recipients = [str(address) for address in envelope.rcpt_tos]
        content = envelope.original_content or b""
        # The envelope is not part of a message, but it says who really received it.
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(recipients)}\r\n"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{stamp}-{next(self._sequence):06d}-{safe_name(recipients)}.eml"
        fresh, kept = f"{self._directory}/.{name}.part", f"{self._directory}/{name}"
        try:
            # Writing a few kilobytes to the page cache is faster than using a thread.
            with open(fresh, "xb", buffering=0) as file:
                file.write(head.encode("utf-8", "surrogateescape") + content)
            os.rename(fresh, kept)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)
            raise
        return name


def safe_name(recipients: list[str]) -> str:
    """The first recipient for a file name, and the number of further ones: `ann_at_example.org+2`."""
    first = _SAFE.sub("_", recipients[0].replace("@", "_at_")).strip(".")[:80] if recipients else ""
    return (first or "nobody") + (f"+{len(recipients) - 1}" if len(recipients) > 1 else "")


async def serve(*, host: str, port: int, directory: Path) -> None:
    """Serve until SIGTERM or SIGINT; messages in flight get two seconds. Raises OSError if the port is taken."""
    loop = asyncio.get_running_loop()
    sink = MailSink(directory)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def conversation() -> SMTP:
        # The name is given because looking up our own can take seconds if no name server answers.
        return SMTP(sink, hostname="localhost", data_size_limit=_MOST_BYTES, enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(conversation, host, port)
    log.info("taking mail on %s:%d into %s", host, port, directory)
    async with server:
        await ended.wait()
        server.close()
        conversations = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if conversations:
            await asyncio.wait(conversations, timeout=2)


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mail_sink", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True, help="where messages are stored, one .eml file each")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # aiosmtpd logs every command at INFO.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    uvloop.run(serve(host=given.host, port=given.port, directory=given.dir))


if __name__ == "__main__":
    main()
