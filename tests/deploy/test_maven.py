"""What is fetched from a repository is what is on record, or nothing; shown on a small repository on loopback."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import maven
from deploy.local.errors import FetchError
from deploy.local.maven import Pinned, fetch, repository

BROKER, REGISTRY = b"broker " * 1_000, b"registry " * 40_000


def pinned(path: str, content: bytes) -> Pinned:
    """What would be on record of that content."""
    return Pinned(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


FILES = {
    "org/broker/1/broker-1.jar": BROKER,
    "io/registry/2/registry-2.tar.gz": REGISTRY,
}


class Repository:
    """A Maven repository that answers as a test wants it to."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.asked: list[tuple[str, str | None]] = []
        """Every path asked for, with the range."""
        self.authorizations: set[str | None] = set()
        self.failing: list[int] = []
        """The statuses of the next answers."""
        self.cut_at: int | None = None
        """After so many bytes the next answer breaks off."""
        self.ranges = True
        repository = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                repository.answer(self)

            def log_message(self, *words: object) -> None:
                """Nothing is written to the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_port}/maven2"

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        path = call.path.removeprefix("/maven2/")
        wanted = call.headers["Range"]
        self.asked.append((path, wanted))
        self.authorizations.add(call.headers["Authorization"])
        status = self.failing.pop(0) if self.failing else 200 if path in self.files else 404
        content = self.files.get(path, b"") if status == 200 else b""
        if wanted and self.ranges and content:
            status, content = 206, content[int(re.findall(r"\d+", wanted)[0]) :]
        call.send_response(status)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        if self.cut_at is not None and content:
            call.wfile.write(content[: self.cut_at])
            self.cut_at, call.close_connection = None, True
        else:
            call.wfile.write(content)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The repository, up, and asked directly whatever proxy this machine has."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    made = Repository()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def wanted(tmp_path: Path) -> dict[Path, Pinned]:
    """The files on record, and where they are to be."""
    return {tmp_path / path.rpartition("/")[2]: pinned(path, content) for path, content in FILES.items()}


def fetched(wanted: dict[Path, Pinned], base: str) -> int:
    """Fetch without waiting between attempts; the sum of the bytes told of."""
    told: list[int] = []
    fetch(wanted, base, advance=told.append, pause=0)
    return sum(told)


def test_every_file_on_record_is_fetched(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """Whole, and each of its bytes is told of once."""
    assert fetched(wanted, source.address) == len(BROKER) + len(REGISTRY)
    assert {path.read_bytes() for path in wanted} == {BROKER, REGISTRY}


def test_what_is_here_already_is_not_fetched_again(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """A bar begins with what is here."""
    fetched(wanted, source.address)
    source.asked.clear()
    assert fetched(wanted, source.address) == len(BROKER) + len(REGISTRY)
    assert source.asked == []


def test_a_changed_file_is_not_used(source: Repository, wanted: dict[Path, Pinned], tmp_path: Path) -> None:
    """A repository that serves something else under the same name and version is found out, and nothing is kept."""
    source.files["io/registry/2/registry-2.tar.gz"] = REGISTRY.replace(b"y", b"i")
    with pytest.raises(FetchError, match=r"registry-2\.tar\.gz is not the file on record") as failure:
        fetched(wanted, source.address)
    assert "\n" not in str(failure.value)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("registry")]


def test_a_file_without_an_end_is_not_read_to_its_end(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """What is longer than the file on record cannot be that file."""
    source.files["io/registry/2/registry-2.tar.gz"] = REGISTRY + bytes(50_000_000)
    with pytest.raises(FetchError, match="is not the file on record"):
        fetched(wanted, source.address)


def test_a_transfer_that_broke_off_is_continued(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """From where it ended, without anybody noticing."""
    source.cut_at = 100_000
    only = {path: file for path, file in wanted.items() if file.size == len(REGISTRY)}
    assert fetched(only, source.address) == len(REGISTRY)
    assert [bytes_ for _, bytes_ in source.asked] == [None, "bytes=100000-"]
    assert next(iter(only)).read_bytes() == REGISTRY


@pytest.mark.parametrize("ranges", [True, False])
def test_what_an_earlier_fetch_left_is_no_trap(source: Repository, wanted: dict[Path, Pinned], *, ranges: bool) -> None:
    """A part of something else, or a repository that cannot continue a file, leads to the file all the same."""
    source.ranges = ranges
    for path in wanted:
        path.with_name(path.name + ".part").write_bytes(b"something else")
    fetched(wanted, source.address)
    assert {path.read_bytes() for path in wanted} == {BROKER, REGISTRY}


def test_a_repository_that_is_busy_is_asked_again(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """Two refusals that pass cost nothing but time."""
    source.failing = [503, 429]
    fetched(wanted, source.address)
    assert len(source.asked) == 4


@pytest.mark.parametrize(("status", "calls"), [(404, 1), (401, 1), (500, 4)])
def test_a_repository_that_refuses_is_named_in_one_line(
    source: Repository, tmp_path: Path, status: int, calls: int
) -> None:
    """With what it said, and what can be done."""
    source.failing = [status] * calls
    with pytest.raises(FetchError) as failure:
        fetched({tmp_path / "broker-1.jar": pinned("org/broker/1/broker-1.jar", BROKER)}, source.address)
    line = str(failure.value)
    assert f"it answers {status} for org/broker/1/broker-1.jar" in line
    assert source.address in line
    assert maven.REPOSITORY_VARIABLE in line
    assert "\n" not in line
    assert len(source.asked) == calls


def test_a_repository_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    """With its address and without its password."""
    with pytest.raises(FetchError) as failure:
        fetched({tmp_path / "a.jar": pinned("a.jar", b"a")}, "http://me:hidden@127.0.0.1:1/maven2")
    assert "cannot be fetched from http://127.0.0.1:1/maven2: " in str(failure.value)
    assert "HTTPS_PROXY" in str(failure.value)
    assert "hidden" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_mirror_may_ask_for_a_password(source: Repository, wanted: dict[Path, Pinned]) -> None:
    """It is taken from the mirror's address."""
    fetched(wanted, source.address.replace("://", "://me:a%40b@"))
    assert source.authorizations == {"Basic bWU6YUBi"}


@pytest.mark.parametrize(("variable", "value"), [("HTTP_PROXY", "gopher://proxy"), ("SSL_CERT_FILE", "/nowhere.pem")])
def test_settings_of_the_network_that_cannot_be_used_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, wanted: dict[Path, Pinned], variable: str, value: str
) -> None:
    """A proxy of a kind that is not known, and certificates that are not there: no traceback, and no blame for the
    cache."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(FetchError, match="The proxy or the certificates that the environment names cannot be used"):
        fetched(wanted, "http://127.0.0.1:1/maven2")


def test_the_repository_is_maven_central_or_the_one_named() -> None:
    """A slash at the end makes no difference; what is no address is refused without being shown."""
    assert repository({}) == maven.CENTRAL
    assert repository({maven.REPOSITORY_VARIABLE: "https://mirror.example/maven/"}) == "https://mirror.example/maven"
    with pytest.raises(FetchError, match="does not begin with https://"):
        repository({maven.REPOSITORY_VARIABLE: "mirror.example"})
