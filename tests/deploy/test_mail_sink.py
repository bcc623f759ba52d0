"""The mail sink keeps what it took, and fails on demand."""

import asyncio
import email
import email.policy
import json
import os
import smtplib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from deploy.local.mail_sink import MailSink, Mode, read_mode, safe_name, set_mode


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A sink on loopback that keeps its files in tmp_path."""
    sink = MailSink(tmp_path)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="localhost", loop=loop), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def send(port: int, *recipients: str, text: str = "We are sorry.", timeout: float = 10) -> None:
    """Send one message, as a program that waits for the answer."""
    message = EmailMessage()
    message["Subject"] = "Your flight"
    message["To"] = recipients[0]
    message.set_content(text)

    def deliver() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as client:
            client.send_message(message, "care@example.org", recipients)

    # Threads of its own: the sink, here in the same process, writes its files in the loop's.
    with ThreadPoolExecutor(max_workers=1) as sender:
        await asyncio.get_running_loop().run_in_executor(sender, deliver)


def kept(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.eml"))


async def test_a_message_becomes_one_file(port: int, tmp_path: Path) -> None:
    """Its name tells when, which and for whom; the file begins with who it was really sent to."""
    await send(port, "ann@example.org", "bcc@example.org", text=".a line that begins with a dot\nÄpfel")
    (file,) = kept(tmp_path)
    assert file.name.endswith("-000001-ann_at_example.org+1.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["X-Envelope-To"] == "ann@example.org, bcc@example.org"
    assert message["Subject"] == "Your flight"
    body = message.get_body()
    assert body is not None
    assert body.get_content().splitlines() == [".a line that begins with a dot", "Äpfel"]


async def test_messages_at_the_same_time_are_all_kept(port: int, tmp_path: Path) -> None:
    """Each under a name of its own, even for one recipient."""
    await asyncio.gather(*(send(port, "ann@example.org") for _ in range(20)))
    assert len(kept(tmp_path)) == 20
    assert len(os.listdir(tmp_path)) == 20


async def test_the_count_goes_on_after_a_restart(port: int, tmp_path: Path) -> None:
    """A sink that starts in a directory with messages adds to them."""
    await send(port, "ann@example.org")
    again = MailSink(tmp_path)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(again, hostname="localhost", loop=loop), "127.0.0.1", 0) as second:
        await send(second.sockets[0].getsockname()[1], "ben@example.org")
    assert [path.name.split("-")[1] for path in kept(tmp_path)] == ["000001", "000002"]


@pytest.mark.parametrize("code", [451, 550])
async def test_it_refuses_for_now_or_for_good(port: int, tmp_path: Path, code: int) -> None:
    """With the code that was asked for; nothing is kept. Then it takes mail again."""
    set_mode(tmp_path, Mode.REFUSE, code=code)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        await send(port, "ann@example.org")
    assert refusal.value.smtp_code == code
    assert kept(tmp_path) == []
    set_mode(tmp_path, Mode.OK)
    await send(port, "ann@example.org")
    assert len(kept(tmp_path)) == 1


async def test_it_hangs_until_told_otherwise(port: int, tmp_path: Path) -> None:
    """A sender with a timeout gives up; one that waits is asked to try again. Nothing is kept."""
    set_mode(tmp_path, Mode.HANG)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        await send(port, "ann@example.org", timeout=0.5)
    patient = asyncio.create_task(send(port, "ben@example.org"))
    await asyncio.sleep(0.3)
    assert not patient.done()
    set_mode(tmp_path, Mode.OK)
    with pytest.raises(smtplib.SMTPDataError) as answer:
        await patient
    assert answer.value.smtp_code == 451
    assert kept(tmp_path) == []


async def test_it_keeps_a_message_and_drops_the_connection(port: int, tmp_path: Path) -> None:
    """The sender cannot know whether its message was taken: it was."""
    set_mode(tmp_path, Mode.DROP_AFTER_DATA)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        await send(port, "ann@example.org")
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"mode": "explode"}', '{"mode": "refuse", "code": 250}', '{"code": "x"}'])
async def test_a_control_file_that_makes_no_sense_accepts_nothing(port: int, tmp_path: Path, text: str) -> None:
    """A test that misspells a mode must not pass by accident."""
    (tmp_path / "control.json").write_text(text)
    with pytest.raises(ValueError):
        read_mode(tmp_path)
    with pytest.raises(smtplib.SMTPDataError, match="unusable"):
        await send(port, "ann@example.org")
    assert kept(tmp_path) == []


async def test_a_message_that_cannot_be_kept_is_not_taken(port: int, tmp_path: Path) -> None:
    """The directory is gone, as with a full disk: the sender is told to try later."""
    os.rename(tmp_path, f"{tmp_path}-elsewhere")
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        await send(port, "ann@example.org")
    assert refusal.value.smtp_code == 451


def test_a_recipient_cannot_write_elsewhere() -> None:
    """Whatever an address holds, the name stays in the directory."""
    assert safe_name(["../../etc/passwd@x"]) == "_.._etc_passwd_at_x"
    assert safe_name(["a" * 300 + "@x"]) == "a" * 80
    assert safe_name([]) == "nobody"


def test_the_switch_is_a_small_file(tmp_path: Path) -> None:
    """That any program can write."""
    assert read_mode(tmp_path) == (Mode.OK, 451)
    set_mode(tmp_path, Mode.REFUSE, code=552)
    assert json.loads((tmp_path / "control.json").read_text()) == {"mode": "refuse", "code": 552}
    assert read_mode(tmp_path) == (Mode.REFUSE, 552)
