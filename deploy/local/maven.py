"""Downloads the pinned files from a Maven repository over HTTPS, and checks each by its hash."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.errors import FetchError
from deploy.local.together import finished
from streams.secrets import split_credentials, without_credentials

REPOSITORY_VARIABLE = "CARELINE_MAVEN_REPOSITORY"
CENTRAL = "https://repo.maven.apache.org/maven2"
"""Maven Central, the default repository; a mirror may be named instead."""

_AT_ONCE = 4
_ATTEMPTS = 4
_PAUSE = 1.0  # seconds before the second attempt, twice as long before each further one
_TIMEOUT = httpx.Timeout(15, connect=10)
_PASSING_STATUSES = frozenset({408, 429})
"""Statuses that may be temporary, like every 5xx."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pinned file."""

    path: str
    """Its path in any Maven repository."""
    sha256: str
    size: int
    """Its size in bytes."""

    @property
    def name(self) -> str:
        """The file name without folders."""
        return self.path.rpartition("/")[2]

    def is_at(self, file: Path) -> bool:
        """Whether `file` is exactly this file."""
        if not file.is_file() or file.stat().st_size != self.size:
            return False
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256


def repository(environ: Mapping[str, str]) -> str:
    """The address of the repository, without a trailing slash. Raises FetchError if it is not valid."""
    given = (environ.get(REPOSITORY_VARIABLE) or CENTRAL).rstrip("/")
    if not given.startswith(("https://", "http://")):
        raise FetchError(f"{REPOSITORY_VARIABLE} does not begin with https://: name a mirror of {CENTRAL}.")
    return given


def fetch(wanted: Mapping[Path, Pinned], base: str, *, advance: Callable[[int], None], pause: float = _PAUSE) -> None:
    """Have each file at its path, whose folder exists already; those that are there as recorded are not fetched again.

    `base` is the repository's address, with credentials if it asks for them. `advance` is told of every further number
    of bytes, one call at a time. A transfer that broke off is continued where it ended, in this call or a later one.
    Raises FetchError, in one line, and OSError where nothing can be written.
    """
    given_up = threading.Event()
    plain, _, _ = split_credentials(base)
    with _client(base) as client, ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
        source = _Source(client=client, base=plain, held=_Held(advance), pause=pause, given_up=given_up)
        try:
            # the largest first: it takes the longest
            order = sorted(wanted.items(), key=lambda item: -item[1].size)
            finished([pool.submit(source.have, target, file) for target, file in order])
        finally:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _client(base: str) -> httpx.Client:
    _, user, password = split_credentials(base)
    try:
        tls = httpx.create_ssl_context()
        tls.load_default_certs()  # this machine's own certificates as well: companies put theirs there
        return httpx.Client(
            auth=(user, password or "") if user is not None else None,
            # as it is: what is unpacked on the way is not the file on record
            headers={"Accept-Encoding": "identity"},
            timeout=_TIMEOUT,
            follow_redirects=True,
            verify=tls,
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        raise FetchError(
            f"The proxy or the certificates that the environment names cannot be used: {_said(error)}. "
            "Look at HTTPS_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
        ) from error


class _PassingError(Exception):
    """An attempt that failed and may succeed the next time. The message says what happened."""


class _Held:
    """How much is here of every file, told on as one sum."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._bytes: dict[Pinned, int] = {}
        self._lock = threading.Lock()

    def of(self, file: Pinned, count: int) -> None:
        """So many bytes of this file are here now, be it fewer than before."""
        with self._lock:
            self._advance(count - self._bytes.get(file, 0))
            self._bytes[file] = count


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A repository that files are fetched from."""

    client: httpx.Client
    base: str
    held: _Held
    pause: float
    given_up: threading.Event

    def have(self, target: Path, file: Pinned) -> None:
        """Have the file at `target`, unless the fetch is given up before."""
        if file.is_at(target):
            self.held.of(file, file.size)
            return
        part = target.with_name(target.name + ".part")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if self._receive(file, part):
                    part.replace(target)
                return
            except (_PassingError, httpx.TransportError) as error:
                if attempt == _ATTEMPTS:
                    raise self._failed(_said(error)) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._failed(_said(error)) from error
            if self.given_up.wait(self.pause * 2 ** (attempt - 1)):
                return

    def _receive(self, file: Pinned, part: Path) -> bool:
        """Fetch what is missing of a file; False if the fetch is given up before all of it is there."""
        begun = part.stat().st_size if part.exists() else 0
        if begun >= file.size:
            begun = 0
        headers = {"Range": f"bytes={begun}-"} if begun else {}
        with self.client.stream("GET", f"{self.base}/{file.path}", headers=headers) as answer:
            status = answer.status_code
            if status in _PASSING_STATUSES or status >= 500:
                raise _PassingError(f"it answers {status} for {file.path}")
            if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise self._failed(f"it answers {status} for {file.path}")
            if status == httpx.codes.OK:
                begun = 0
            held = self._keep(answer, file, part, begun)
        if self.given_up.is_set():
            return False
        if held < file.size:
            raise _PassingError(f"{file.path} ended early")
        if file.is_at(part):
            return True
        part.unlink()
        if begun:  # what was there before may be another source's
            raise _PassingError(f"{file.path} is not the file on record")
        raise FetchError(
            f"{without_credentials(self.base)}/{file.path} is not the file on record, by its SHA-256, and is not used: "
            "if that repository is a mirror, tell whoever runs it."
        )

    def _keep(self, answer: httpx.Response, file: Pinned, part: Path, held: int) -> int:
        """Append the answer to the `held` bytes that are there; returns how many there are then. Stops reading once the
        file is longer than the pinned one."""
        self.held.of(file, held)
        with part.open("ab" if held else "wb") as content:
            for chunk in answer.iter_raw():
                if self.given_up.is_set() or held > file.size:
                    break
                content.write(chunk)
                held += len(chunk)
                self.held.of(file, min(held, file.size))
        return held

    def _failed(self, why: str) -> FetchError:
        return FetchError(
            f"Kafka and the schema registry cannot be fetched from {without_credentials(self.base)}: {why}. "
            f"Check the network and HTTPS_PROXY, or name a mirror of Maven Central in {REPOSITORY_VARIABLE}."
        )


def _said(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
