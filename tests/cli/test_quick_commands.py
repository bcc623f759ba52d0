"""Commands answer at once: what they work with is loaded when they run, and not to describe them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType

import pytest

import schemas
from processors.cli.deferring import deferring, load, loaded

HEAVY = {
    *("aiohttp", "aiokafka", "aiosmtplib", "apprise", "babel", "cramjam", "css_inline", "faust", "fastavro", "httpx"),
    *("jinja2", "mode", "msgspec", "prometheus_client", "psutil", "redis", "schema_registry", "structlog"),
    *("uvloop", "yaml"),
}
HELP = """
import contextlib, io, json, sys
import typer
from processors.cli import app

def walk(command, words):
    context = command.make_context(" ".join(words), ["--help"], resilient_parsing=True)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        text = command.get_help(context)
    yield words, text + shown.getvalue()
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, [*words, name])

pages = [
    (words, len(text), sorted({name.partition(".")[0] for name in sys.modules}))
    for words, text in walk(typer.main.get_command(app), ["careline"])
]
print(json.dumps(pages))
"""


def test_no_page_of_help_loads_a_client() -> None:
    """`careline --help` and the help of every command need neither Kafka's client nor Redis's, and no engine."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    pages = json.loads(done.stdout.splitlines()[-1])
    assert len(pages) > 25
    assert min(length for _, length, _ in pages) > 50
    assert {" ".join(words): sorted(HEAVY & set(modules)) for words, _, modules in pages if HEAVY & set(modules)} == {}


def test_the_command_itself_shows_help_without_them() -> None:
    """As it is called in a shell."""
    program = "import sys; sys.argv = ['careline', 'publish', '--help']; from processors.cli import main; main()"
    shown = f"import atexit, sys; atexit.register(lambda: print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr))"
    done = subprocess.run([sys.executable, "-c", f"{shown}; {program}"], capture_output=True, text=True, check=True)
    assert "Publish touchpoints" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the command line that imports what it works with."""
    module = ModuleType("processors.cli.made_up")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    source = "\n".join([
        "from streams.registry.registry import FULL_TRANSITIVE",
        "from streams.clock import from_millis as moment",
        "from streams.events import DelayReason, ProfileUpdated",
        "def reasons(): return list(DelayReason)",
        "def level(): return {'level': FULL_TRANSITIVE}",
        "def of_time(): return moment(0).year",
        "def is_profile(value):",
        "    match value:",
        "        case ProfileUpdated(): return True",
        "        case _: return False",
    ])  # fmt: skip
    with deferring():
        exec(source, vars(module))
    return module


def test_using_one_name_loads_all_of_its_module(command: ModuleType) -> None:
    """Called, looked at, matched or iterated over: the first use makes every name what it is."""
    promised = command.FULL_TRANSITIVE
    assert command.of_time() == 1970
    assert command.level() == {"level": "FULL_TRANSITIVE"}
    assert promised is not command.FULL_TRANSITIVE


@pytest.mark.parametrize("use", ["of_time", "reasons"])
def test_a_name_works_however_it_is_used_first(command: ModuleType, use: str) -> None:
    """Under another name, or as a collection."""
    assert getattr(command, use)()


def test_a_class_can_be_matched_first(command: ModuleType) -> None:
    """`case ProfileUpdated():` asks for a class before anything is called."""
    assert command.is_profile(3) is False


def test_a_command_finds_plain_values_loaded(command: ModuleType) -> None:
    """A constant cannot tell that it is used; before a command runs, all is there."""
    assert loaded(command.level)() == {"level": "FULL_TRANSITIVE"}
    load(command)


def test_other_modules_import_as_usual() -> None:
    """Only the command line waits."""
    module = ModuleType("elsewhere")
    with deferring():
        exec("from streams.registry.registry import FULL_TRANSITIVE", vars(module))
    assert module.FULL_TRANSITIVE == "FULL_TRANSITIVE"


NEVER = HEAVY | {"asyncio", "avro", "jsonschema", "pandas"}
"""What takes its time to load."""

EVENTS = {"asyncio", "cramjam", "fastavro", "msgspec"}
VIEW = {"asyncio", "msgspec", "redis", "psutil"}
"""Of these, psutil comes with the SDK of OpenTelemetry, which redis loads where it is installed."""

NEEDED: dict[str, set[str]] = {
    "--help": set(),
    "tail --help": set(),
    "publish --example DelayNoticed": EVENTS,
    "publish --dry-run -": EVENTS,
    "tasks": VIEW,
    "customer nobody": VIEW | {"babel"},
    "schemas check": {"avro"} | EVENTS | {"aiohttp", "httpx", "jsonschema", "schema_registry"},
}
"""By command, what of it its work needs; all the rest takes its time for nothing."""


@pytest.mark.parametrize("words", NEEDED)
def test_a_command_loads_what_its_work_needs_and_nothing_else(words: str) -> None:
    """No client of Kafka to look into Redis, and none at all to check lines: one thing is asked, and one is loaded."""
    program = f"import sys; sys.argv = ['careline', *{words.split()!r}]; from processors.cli import main; main()"
    told = f"import atexit, sys; atexit.register(lambda: print(sorted({NEVER!r} & set(sys.modules)), file=sys.stderr))"
    done = subprocess.run(
        [sys.executable, "-c", f"{told}; {program}"],
        capture_output=True,
        text=True,
        env={**os.environ, "CARELINE_REDIS_URL": "redis://127.0.0.1:1/0"},
        input=LINE,
        timeout=60,
    )
    loaded_of_it = set(json.loads(done.stderr.splitlines()[-1].replace("'", '"')))
    assert loaded_of_it - NEEDED[words] == set()


LINE = json.dumps({"type": "DelayNoticed", **schemas.examples("careline.touchpoint.DelayNoticed")[0]})
