"""The servers' programs are those on record, and lie in a cache of the user's, whole or not at all."""

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.local import artifacts, preflight
from deploy.local.artifacts import on_record, servers, unpack, verify
from deploy.local.errors import FetchError
from deploy.local.maven import REPOSITORY_VARIABLE, Pinned


@pytest.fixture
def fetched(tmp_path: Path) -> tuple[Path, Mapping[Path, Pinned]]:
    """Some files as they were fetched, and what is on record of them."""
    (tmp_path / "kafka").mkdir()
    wanted = {}
    for name in ("kafka/one.jar", "kafka/two.jar", "registry.tar.gz"):
        content = name.encode()
        (tmp_path / name).write_bytes(content)
        wanted[tmp_path / name] = Pinned(name, hashlib.sha256(content).hexdigest(), len(content))
    return tmp_path, wanted


def test_what_is_on_record_is_used(fetched: tuple[Path, Mapping[Path, Pinned]]) -> None:
    """Every file there, each as it was."""
    verify(*fetched)


def test_a_changed_or_further_file_is_not_used(fetched: tuple[Path, Mapping[Path, Pinned]]) -> None:
    """All jars of the directory are on the class path: one more is as bad as a changed one."""
    (fetched[0] / "registry.tar.gz").write_bytes(b"else")
    (fetched[0] / "kafka" / "one.jar").rename(fetched[0] / "kafka" / "other.jar")
    with pytest.raises(FetchError) as failure:
        verify(*fetched)
    told = "one.jar is not the file on record; registry.tar.gz is not the file on record; other.jar is not expected"
    assert told in str(failure.value)


def test_every_program_is_on_record() -> None:
    """The broker's jars and the registry's archive in the versions of the pom, each with its digest and size."""
    files = on_record()
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0 for file in files)
    pom = ElementTree.parse(preflight.HERE / "pom.xml")
    kafka, apicurio = (pom.findtext(f".//{{*}}{name}.version") for name in ("kafka", "apicurio"))
    names = [file.name for file in files]
    assert len(set(names)) == len(names)
    assert f"kafka_2.13-{kafka}.jar" in names
    assert [name for name in names if not name.endswith(".jar")] == [f"apicurio-registry-app-{apicurio}-all.tar.gz"]


def test_an_unreachable_repository_leaves_no_servers_behind(tmp_path: Path) -> None:
    """The next call tries again."""
    environ = {"CARELINE_CACHE": str(tmp_path), REPOSITORY_VARIABLE: "no address"}
    for _ in range(2):
        with pytest.raises(FetchError):
            servers(environ)
    assert not preflight.cache_directory(environ).exists()


def test_a_cache_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match=r"cannot be kept in .*/file/cache") as failure:
        servers({"CARELINE_CACHE": str(tmp_path / "file" / "cache")})
    assert "\n" not in str(failure.value)


def test_servers_that_are_here_are_not_fetched(tmp_path: Path) -> None:
    """No network is needed from the second start on."""
    environ = {"CARELINE_CACHE": str(tmp_path), REPOSITORY_VARIABLE: "no address"}
    runner = preflight.cache_directory(environ) / "registry" / "apicurio-registry-app-3-runner.jar"
    runner.parent.mkdir(parents=True)
    runner.touch()
    assert servers(environ) == artifacts.Servers(kafka=runner.parent.parent / "kafka", registry=runner)


def test_an_archive_writes_nothing_outside_its_directory(tmp_path: Path) -> None:
    """A member named ../ is refused."""
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../outside")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(FetchError, match="outside of its directory"):
        unpack(tmp_path / "bad.tar.gz", tmp_path / "inside")
    assert not (tmp_path / "outside").exists()
