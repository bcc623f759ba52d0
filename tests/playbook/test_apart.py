"""A playbook is validated in a separate process: one that takes long, or all memory, blocks nobody."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from processors.playbook import PlaybookRefused, load_playbook
from processors.playbook.apart import Allowance, load_apart, try_apart
from processors.playbook.loading import MAX_BYTES
from processors.playbook.packaged import packaged_playbook
from streams.errors import SettingsError
from tests.playbook.good import GOOD, WHOLE, changed, dumped, written

SHORT = Allowance(computing=timedelta(seconds=1), patience=timedelta(seconds=4), memory=256 << 20)

CRUEL = {
    # What a gap in the whitelist could let through: none of it releases the interpreter while it runs.
    "computes": "10 ** 10 ** 9",
    "grows": "[bytearray(1 << 20) for _ in range(100_000)]",
    "sleeps": "__import__('time').sleep(3_600)",
    "crashes": "__import__('os').abort()",
}


@pytest.fixture
def cruel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for modules that validate playbooks in hostile ways."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return tmp_path


@pytest.mark.parametrize("kind", CRUEL)
async def test_whatever_a_text_does_the_role_goes_on(cruel: Path, kind: str) -> None:
    """A playbook whose validation never ends, or takes all memory, is rejected in time, and the event loop is never
    blocked."""
    limits = (
        "import sys\nfrom processors.playbook import apart\n"
        f"apart.playbook_from = lambda content, where: {CRUEL[kind]}\napart.main(*sys.argv[1:])\n"
    )
    (cruel / "cruel.py").write_text(limits)
    trial = asyncio.create_task(try_apart(b"", where="playbook.yaml", allowance=SHORT, module="cruel"))
    longest = 0.0
    while not trial.done():
        began = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - began)
    with pytest.raises(
        PlaybookRefused, match=r"playbook.yaml:1: (cannot be checked with 1 s|is not checked after 4 s)"
    ):
        await trial
    assert longest < 0.5


async def test_a_trial_that_is_given_up_ends(cruel: Path) -> None:
    """A role that stops during a validation leaves no process behind."""
    (cruel / "cruel.py").write_text(f"import os, time\nopen({str(cruel / 'pid')!r}, 'w').write(str(os.getpid()))\n"
                                    "time.sleep(3600)\n")  # fmt: skip
    trial = asyncio.create_task(try_apart(b"", where="p", module="cruel"))
    while not (cruel / "pid").exists() or not (cruel / "pid").read_text():
        await asyncio.to_thread(time.sleep, 0.02)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    with pytest.raises(ProcessLookupError):
        os.kill(int((cruel / "pid").read_text()), 0)


async def test_no_setting_is_passed_on(cruel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The validating process gets none of our settings, so a playbook cannot read secrets."""
    monkeypatch.setenv("CARELINE_LINK_SECRET", "marker-of-a-secret")
    (cruel / "cruel.py").write_text(
        "import os, sys\nsys.exit('marker' if 'marker' in str(os.environ) else 'nothing')\n"
    )
    with pytest.raises(PlaybookRefused, match="cannot be checked: nothing"):
        await try_apart(b"", where="p", module="cruel")


async def test_a_good_one_passes_and_a_wrong_one_is_told() -> None:
    """The faults are the same, at the same lines, as when the file is read directly."""
    await try_apart(packaged_playbook().encode(), where="p")
    wrong = dumped(changed("caps 0 most", 0, of=WHOLE | {"currency": "dollars"})).encode()
    with pytest.raises(PlaybookRefused) as refusal:
        await try_apart(wrong, where="p")
    assert [fault.field for fault in refusal.value.faults] == ["caps.0.most", "currency"]


async def test_the_largest_playbook_there_may_be_passes() -> None:
    """A valid playbook of nearly a mebibyte is within the limits."""
    body = "{{ name }} " * 150 + "words " * 1_000
    texts = {f"delay_care/own_{n}": {"en": {"subject": "words", "body": body}} for n in range(110)}
    content = dumped(GOOD | {"texts": texts}).encode()
    assert 0.8 * MAX_BYTES < len(content) <= MAX_BYTES
    await try_apart(content, where="p")


def test_a_role_starts_with_what_passed(tmp_path: Path) -> None:
    """A role's start and ``careline playbook check`` also validate a file apart before they read it."""
    file = written(tmp_path, GOOD)
    assert load_apart(file) == load_playbook(file)
    assert load_apart(None) == load_playbook()
    with pytest.raises(PlaybookRefused, match="currency"):
        load_apart(written(tmp_path, changed("currency", "dollars")))
    with pytest.raises(SettingsError, match="cannot read"):
        load_apart(tmp_path / "none.yaml")
