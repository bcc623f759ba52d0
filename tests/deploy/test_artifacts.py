"""The servers' programs are those on record, wherever Maven had them from."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.artifacts import PINNED, verify
from deploy.local.errors import FetchError


@pytest.fixture
def fetched(tmp_path: Path) -> tuple[Path, Path]:
    """Some files as Maven copied them, and what is on record of them."""
    (tmp_path / "kafka").mkdir()
    names = ("kafka/one.jar", "kafka/two.jar", "registry.tar.gz")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    pinned = tmp_path / "pinned"
    pinned.write_text("".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names))
    return tmp_path, pinned


def test_what_is_on_record_is_used(fetched: tuple[Path, Path]) -> None:
    """Every file there, each as it was."""
    verify(*fetched)


def test_a_changed_file_is_not_used(fetched: tuple[Path, Path]) -> None:
    """A repository that hands out something else, of the same name and version, is found out."""
    (fetched[0] / "registry.tar.gz").write_bytes(b"else")
    with pytest.raises(FetchError, match=r"registry\.tar\.gz is not the file"):
        verify(*fetched)


def test_a_missing_or_further_file_is_told(fetched: tuple[Path, Path]) -> None:
    """All jars of the directory are on the class path: one more is as bad as a changed one."""
    (fetched[0] / "kafka" / "one.jar").rename(fetched[0] / "kafka" / "other.jar")
    with pytest.raises(FetchError, match=r"one.jar is missing\nkafka/other.jar is not expected"):
        verify(*fetched)


def test_every_program_is_on_record() -> None:
    """The broker's jars and the registry's archive, each with a whole digest."""
    lines = [line.split() for line in PINNED.read_text().splitlines()]
    assert all(len(digest) == 64 for digest, _ in lines)
    names = [name for _, name in lines]
    assert "registry.tar.gz" in names
    assert any(name.startswith("kafka/kafka_2.13-") for name in names)
