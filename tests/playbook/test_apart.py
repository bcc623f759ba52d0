"""A playbook is tried in a process of its own: one that takes long, or all memory, stalls nobody."""

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
    # What a hole in the whitelist would let through: nothing of it lets go of the interpreter while it lasts.
    "computes": "10 ** 10 ** 9",
    "grows": "[bytearray(1 << 20) for _ in range(100_000)]",
    "sleeps": "__import__('time').sleep(3_600)",
    "crashes": "__import__('os').abort()",
}


@pytest.fixture
def cruel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for modules that check playbooks as hostile ones would have it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return tmp_path


@pytest.mark.parametrize("kind", CRUEL)
async def test_whatever_a_text_does_the_role_goes_on(cruel: Path, kind: str) -> None:
    """A playbook under test that would never be checked, or eat all memory, is refused in time; the event loop never
    waits for it."""
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
    """A role that stops in the middle of a trial leaves no process behind."""
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
    """Whoever writes a playbook gets no secret by it: the process that tries it is given none of ours."""
    monkeypatch.setenv("CARELINE_LINK_SECRET", "marker-of-a-secret")
    (cruel / "cruel.py").write_text(
        "import os, sys\nsys.exit('marker' if 'marker' in str(os.environ) else 'nothing')\n"
    )
    with pytest.raises(PlaybookRefused, match="cannot be checked: nothing"):
        await try_apart(b"", where="p", module="cruel")


async def test_a_good_one_passes_and_a_wrong_one_is_told() -> None:
    """With the same faults, at the same lines, as when it is read here."""
    await try_apart(packaged_playbook().encode(), where="p")
    wrong = dumped(changed("caps 0 most", 0, of=WHOLE | {"currency": "dollars"})).encode()
    with pytest.raises(PlaybookRefused) as refusal:
        await try_apart(wrong, where="p")
    assert [fault.field for fault in refusal.value.faults] == ["caps.0.most", "currency"]


async def test_the_largest_playbook_there_may_be_passes() -> None:
    """The allowance is for hostile files, not for diligent ones: a mebibyte of texts is within it."""
    body = "{{ name }} " * 150 + "words " * 1_000
    texts = {f"delay_care/own_{n}": {"en": {"subject": "words", "body": body}} for n in range(110)}
    content = dumped(GOOD | {"texts": texts}).encode()
    assert 0.8 * MAX_BYTES < len(content) <= MAX_BYTES
    await try_apart(content, where="p")


def test_a_role_starts_with_what_passed(tmp_path: Path) -> None:
    """At its start too: a role, and ``careline playbook check``, read a file only after it was tried."""
    file = written(tmp_path, GOOD)
    assert load_apart(file) == load_playbook(file)
    assert load_apart(None) == load_playbook()
    with pytest.raises(PlaybookRefused, match="currency"):
        load_apart(written(tmp_path, changed("currency", "dollars")))
    with pytest.raises(SettingsError, match="cannot read"):
        load_apart(tmp_path / "none.yaml")
