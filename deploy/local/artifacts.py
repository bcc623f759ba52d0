"""The servers' programs, copied once by Maven into a cache that every stack of this user shares."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import preflight
from deploy.local.errors import FetchError

PINNED = preflight.HERE / "artifacts.sha256"
"""SHA-256 of every file that Maven copies. After a change of pom.xml: `sha256sum kafka/*.jar registry.tar.gz`."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The programs on disk."""

    kafka: Path
    """Directory of the broker's jars."""
    registry: Path
    """The runner jar; its libraries lie beside it."""


def cached(environ: Mapping[str, str]) -> bool:
    """Whether the servers are here, so that `servers` returns at once."""
    return preflight.cache_directory(environ).exists()


def servers(environ: Mapping[str, str]) -> Servers:
    """The programs, fetched if they are not here yet (about 150 MB, seconds to minutes).

    Safe for stacks that start at once: one fetches, the others wait for it, and the directory appears whole or not
    at all. Raises FetchError.
    """
    directory = preflight.cache_directory(environ)
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        # One at a time: Maven's own repository is not made for two writers either.
        with (directory.parent / "fetch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.exists():
                _fetch(directory)
    return Servers(kafka=directory / "kafka", registry=_runner(directory))


def _fetch(directory: Path) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=".fetch-", dir=directory.parent))
    try:
        # Maven writes its `target` beside the pom; a copy keeps the package directory read-only.
        shutil.copy(preflight.HERE / "pom.xml", fresh / "pom.xml")
        argv = [
            "mvn",
            "-q",
            "-B",
            "-f",
            str(fresh / "pom.xml"),
            f"-Dcareline.target={fresh}",
            "generate-resources",
        ]
        try:
            done = subprocess.run(argv, cwd=fresh, capture_output=True, text=True, errors="replace", check=False)
        except OSError as error:
            raise FetchError(f"mvn could not be run: {error}") from error
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise FetchError("Maven could not fetch the servers:\n" + "\n".join(said[:12]))
        verify(fresh)
        archive = fresh / "registry.tar.gz"
        unpack(archive, fresh / "registry")
        archive.unlink()
        _runner(fresh)
        fresh.replace(directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def verify(directory: Path, pinned: Path = PINNED) -> None:
    """Hold what Maven copied against the SHA-256 that are on record here, whatever repository it came from: every file
    that is to be there is, as it was, and no other. Raises FetchError."""
    expected = {name: digest for digest, name in (line.split() for line in pinned.read_text().splitlines())}
    found = {
        str(path.relative_to(directory)): path
        for path in sorted([*directory.glob("kafka/**/*"), *directory.glob("*.tar.gz")])
        if path.is_file()
    }
    wrong = [f"{name} is missing" for name in sorted(set(expected) - set(found))]
    for name, path in found.items():
        if name not in expected:
            wrong.append(f"{name} is not expected")
        else:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected[name]:
                    wrong.append(f"{name} is not the file that is on record")
    if wrong:
        raise FetchError("what Maven copied is not used:\n" + "\n".join(wrong[:12]))


def unpack(archive: Path, directory: Path) -> None:
    """Unpack files and folders, and nothing that lands outside `directory`. Raises FetchError on such a member."""
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
