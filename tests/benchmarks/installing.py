"""The peers' environments, created once under .careline/bench: a virtual environment, and a Java program with Maven."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.programs import ProgramFailed
from tests.benchmarks.rounds import ROOT

BENCH = ROOT / ".careline" / "bench"
PEERS = Path(__file__).parent / "peers"
_JAVA = PEERS / "kafka_streams"


def python_for_peers() -> Path:
    """The interpreter of the Python peers' environment. Raises ProgramFailed if it cannot be created."""
    lock = PEERS / "requirements.lock"
    directory = BENCH / "peers"

    def make(fresh: Path) -> None:
        _run([sys.executable, "-m", "venv", str(fresh)])
        pip = [str(fresh / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(lock)])

    # a virtual environment contains its own path and cannot be moved into place, so a marker file is written at the end
    _once(directory, [lock], make)
    return directory / "bin" / "python"


def classpath_of_java() -> str:
    """The class path of the compiled Kafka Streams peer. Raises ProgramFailed if it cannot be compiled."""
    directory = BENCH / "kafka_streams"

    def make(fresh: Path) -> None:
        shutil.copytree(_JAVA, fresh, dirs_exist_ok=True)
        _run(["mvn", "-q", "-B", "-f", str(fresh / "pom.xml"), "package"])

    _once(directory, sorted(file for file in _JAVA.rglob("*") if file.is_file()), make)
    return f"{directory / 'target' / 'classes'}:{directory / 'target' / 'libraries'}/*"


def _once(directory: Path, sources: list[Path], make: Callable[[Path], None]) -> None:
    """Create the directory, unless it was already created from the same sources."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    mark = directory / "made-from"
    if mark.exists() and mark.read_text() == digest:
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    make(directory)
    mark.write_text(digest)


def _run(argv: list[str]) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, cwd=BENCH)
    except OSError as error:
        raise ProgramFailed(f"{argv[0]} could not be run: {error}") from error
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise ProgramFailed(f"{Path(argv[0]).name} failed:\n" + "\n".join(said[-12:]))
