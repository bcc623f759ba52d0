"""The servers' programs, downloaded once into a cache that all stacks of this user share."""

from __future__ import annotations

import fcntl
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import maven, preflight
from deploy.local.errors import FetchError
from deploy.local.maven import Pinned
from deploy.local.progress import Report, Silent


@dataclass(frozen=True, slots=True)
class Servers:
    """The programs on disk."""

    kafka: Path
    """Directory of the broker's jars."""
    registry: Path
    """The runner jar; its libraries are in the same directory."""


def on_record(lock: Path = preflight.LOCK) -> tuple[Pinned, ...]:
    """The pinned files of the servers: the broker's jars and the registry's archive."""
    lines = [line.split() for line in lock.read_text().splitlines()]
    return tuple(Pinned(path=path, sha256=sha256, size=int(size)) for sha256, size, path in lines)


def servers(environ: Mapping[str, str], report: Report | None = None) -> Servers:
    """The programs, downloaded first if they are missing (154 MB; seconds to minutes).

    Safe for stacks that start at the same time: one downloads, the others wait for it, and the directory appears
    complete or not at all. An interrupted download is resumed by the next. Raises FetchError.
    """
    directory = preflight.cache_directory(environ)
    if not directory.exists():
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            with (directory.parent / "fetch.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not directory.exists():
                    _fetch(directory, environ, report or Silent())
        except OSError as error:
            raise FetchError(f"Kafka and the schema registry cannot be kept in {directory.parent}: {error}.") from error
    return Servers(kafka=directory / "kafka", registry=_runner(directory))


def _fetch(directory: Path, environ: Mapping[str, str], report: Report) -> None:
    base = maven.repository(environ)
    fresh = directory.with_name(directory.name + ".part")
    (fresh / "kafka").mkdir(parents=True, exist_ok=True)
    wanted = {_place(fresh, file): file for file in on_record()}
    size = sum(file.size for file in wanted.values())
    with report.fetching("Kafka and the schema registry", size) as advance:
        maven.fetch(wanted, base, advance=advance)
    verify(fresh, wanted)
    shutil.rmtree(fresh / "registry", ignore_errors=True)
    for archive in fresh.glob("*.tar.gz"):
        unpack(archive, fresh / "registry")
        archive.unlink()
    _runner(fresh)
    fresh.replace(directory)


def _place(directory: Path, file: Pinned) -> Path:
    return directory / "kafka" / file.name if file.name.endswith(".jar") else directory / file.name


def verify(directory: Path, wanted: Mapping[Path, Pinned]) -> None:
    """Compare the directory with the pinned files: every one must be there unchanged, and no other file may be, because
    every jar in the directory is on the class path. Raises FetchError."""
    wrong = [f"{file.name} is not the file on record" for path, file in wanted.items() if not file.is_at(path)]
    found = [path for path in [*directory.glob("kafka/*"), *directory.glob("*.tar.gz")] if path not in wanted]
    wrong += [f"{path.name} is not expected" for path in sorted(found)]
    if wrong:
        raise FetchError(f"{directory} is not used ({'; '.join(wrong[:12])}): delete it and try again")


def unpack(archive: Path, directory: Path) -> None:
    """Unpack files and folders. Raises FetchError for a member that would land outside `directory`."""
    root = directory.resolve()
    with tarfile.open(archive) as tar:
        for member in tar:
            target = (root / member.name).resolve()
            if not target.is_relative_to(root):
                raise FetchError(f"{archive.name} holds a path outside of its directory: {member.name}")
            source = tar.extractfile(member) if member.isfile() else None
            if source is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)


def _runner(directory: Path) -> Path:
    found = sorted((directory / "registry").glob("**/apicurio-registry-app-*-runner.jar"))
    if not found:
        raise FetchError(f"no registry runner jar under {directory}: delete that directory and try again")
    return found[0]
