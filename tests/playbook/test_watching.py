"""A changed playbook file is loaded without a restart; an invalid one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from processors.journey.playbook import Playbook
from processors.journey.wait_rules import WaitRules
from processors.playbook import load_playbook
from processors.playbook.watching import PlaybookWatch, in_force
from processors.roles import metrics
from tests.playbook.good import GOOD, changed, dumped, written
from tests.waiting import until


class Watched:
    """A file, its watch, and the playbooks that were loaded."""

    def __init__(self, folder: Path) -> None:
        self.file = written(folder, GOOD)
        self.first = load_playbook(self.file)
        self.taken: list[Playbook] = []
        in_force(self.first)
        self.watch = PlaybookWatch(
            path=self.file, playbook=self.first, taken=self.taken.append, interval=timedelta(seconds=5)
        )
        self._before = self._count()

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.watch.look()

    def counted(self) -> tuple[float, float]:
        """Return how many were accepted and rejected since the beginning."""
        now = self._count()
        return now[0] - self._before[0], now[1] - self._before[1]

    @staticmethod
    def _count() -> tuple[float, float]:
        def value(result: str) -> float:
            return metrics.REGISTRY.get_sample_value("careline_playbook_reloads_total", {"result": result}) or 0

        return value("taken"), value("refused")


def shown() -> set[str]:
    """Return the versions that the metrics show as in force."""
    return {sample.labels["version"] for metric in metrics.PLAYBOOK.collect() for sample in metric.samples}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture
def logged() -> Iterator[LogCapture]:
    """Capture the log."""
    kept = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[kept])
    yield kept
    structlog.configure(**before)


async def test_a_file_that_stays_is_left_alone(watched: Watched) -> None:
    """An unchanged file, or one written again with the same content, causes nothing."""
    await watched.look(5)
    written(watched.file.parent, GOOD)
    await watched.look(5)
    assert watched.taken == []
    assert watched.counted() == (0, 0)


async def test_a_changed_file_is_taken(watched: Watched) -> None:
    """A changed file is loaded once, and the metrics show its version."""
    written(watched.file.parent, changed("delay_care default threshold", "45m"))
    await watched.look(5)
    [taken] = watched.taken
    assert taken == load_playbook(watched.file)
    assert taken.rules_of(WaitRules).of("parcel").threshold == timedelta(minutes=45)
    assert watched.counted() == (1, 0)
    assert shown() == {taken.version} != {watched.first.version}


async def test_a_wrong_file_is_refused_whole(watched: Watched, logged: LogCapture) -> None:
    """An invalid file is rejected as a whole and its faults are logged once; the old playbook stays."""
    wrong = changed("delay_care default threshold", "45 minutes")
    wrong["currency"] = "dollars"
    wrong["caps"][0]["most"] = 2  # right, and not taken either
    written(watched.file.parent, wrong)
    await watched.look(6)
    assert watched.taken == []
    assert watched.counted() == (0, 1)
    assert shown() == {watched.first.version}
    faults = [entry["fault"] for entry in logged.entries if "fault" in entry]
    assert len(faults) == 2
    assert "delay_care.default.threshold: '45 minutes' is not a duration" in faults[0]
    assert "currency: 'dollars' is not a currency" in faults[1]
    assert all(str(watched.file) in fault for fault in faults)


async def test_a_wrong_file_put_right(watched: Watched) -> None:
    """After invalid contents, each of which is rejected, the next valid content is loaded."""
    for content in ("currency: [", "currency: ]", dumped(changed("currency", "EUR"))):
        written(watched.file.parent, content)
        await watched.look()
    assert [taken.currency for taken in watched.taken] == ["EUR"]
    assert watched.counted() == (1, 2)


async def test_a_wrong_file_taken_back(watched: Watched) -> None:
    """When the content in force returns, nothing is loaded; the same mistake later is reported again."""
    for content in ("currency: [", dumped(GOOD), "currency: ["):
        written(watched.file.parent, content)
        await watched.look()
    assert watched.taken == []
    assert watched.counted() == (0, 2)


async def test_a_file_that_is_half_written(watched: Watched) -> None:
    """Content that changes from check to check is not loaded, even if it is valid."""
    for content in ("", dumped(changed("currency", "EUR")), dumped(changed("currency", "CHF"))):
        written(watched.file.parent, content)
        await watched.look(1)
    assert watched.taken == []
    assert watched.counted() == (0, 0)
    await watched.look(1)
    assert [taken.currency for taken in watched.taken] == ["CHF"]


async def test_a_file_that_is_gone(watched: Watched, logged: LogCapture) -> None:
    """A missing file counts as one rejection; when it returns it is checked again."""
    watched.file.unlink()
    await watched.look(4)
    assert watched.counted() == (0, 1)
    assert any("cannot be read" in entry.get("fault", "") for entry in logged.entries)
    written(watched.file.parent, changed("currency", "EUR"))
    await watched.look()
    assert [taken.currency for taken in watched.taken] == ["EUR"]


async def test_a_switched_link_is_a_change(watched: Watched, tmp_path: Path) -> None:
    """A symbolic link that is switched, as Kubernetes does, counts as a change."""
    other = tmp_path / "other"
    other.mkdir()
    target = written(other, changed("currency", "EUR"))
    watched.file.unlink()
    watched.file.symlink_to(target)
    await watched.look()
    assert [taken.currency for taken in watched.taken] == ["EUR"]


async def test_it_looks_by_itself(tmp_path: Path) -> None:
    """While its role runs, the watch checks the file every interval."""
    watched = Watched(tmp_path)
    watch = PlaybookWatch(
        path=watched.file, playbook=watched.first, taken=watched.taken.append, interval=timedelta(milliseconds=20)
    )
    async with watch:
        written(tmp_path, changed("currency", "EUR"))
        await until(lambda: bool(watched.taken))  # a slow machine is no fault of the watch
    assert [taken.currency for taken in watched.taken] == ["EUR"]
