"""How a stack goes up and down, shown on small servers that start in no time."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import MissingError, Stack, StackError, State, preflight, running_stack, stack_environment
from deploy.local.monitoring import MONITORING
from deploy.local.parts import PARTS, Part
from deploy.local.probes import SilentError
from deploy.local.processes import marked
from tests.interrupts import hears_interrupts

ECHO = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""
BROKEN = "print('the disk is on fire', flush=True); raise SystemExit(7)"


def connect(address: str) -> None:
    """The probe of the small servers."""
    try:
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=2).close()
    except OSError as error:
        raise SilentError(str(error)) from error


def small(name: str, program: str = ECHO) -> Part:
    """A server in Python in place of the real one of that name."""
    real = next(part for part in (*PARTS, *MONITORING) if part.name == name)
    return Part(
        name=name,
        variable=real.variable,
        ports=(name,),
        address=lambda ports: f"127.0.0.1:{ports[name]}",
        command=lambda place, ports, servers, environ: [sys.executable, "-c", program, str(ports[name])],
        probe=connect,
        watches=real.watches,
    )


SMALL = tuple(small(part.name) for part in PARTS)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine with the servers fetched, as far as the preflight can see."""
    found = {"PATH": os.environ["PATH"], "CARELINE_CACHE": str(tmp_path / "cache")}
    registry = preflight.cache_directory(found) / "registry" / "apicurio-registry-app-0-runner.jar"
    registry.parent.mkdir(parents=True)
    registry.touch()
    return found | {"CARELINE_STACK": "local"}


@pytest.fixture
def home(tmp_path: Path, environ: dict[str, str]) -> Iterator[Path]:
    """A home that is taken down afterwards, whatever the test found."""
    yield tmp_path / "home"
    Stack(tmp_path / "home", environ=environ, parts=SMALL).down()


def left(home: Path) -> list[int]:
    """The pids that still run for this home."""
    return [identity.pid for identity in marked(f"{home}:")]


def test_up_then_down_leaves_nothing_running(home: Path, environ: dict[str, str]) -> None:
    """Another program of the same home sees the same stack, and ends it."""
    assert Stack(home, environ=environ, parts=SMALL).up()
    assert Stack(home, environ=environ, parts=SMALL).status().running
    assert len(left(home)) == 4
    assert Stack(home, environ=environ, parts=SMALL).down()
    assert left(home) == []
    assert [part.state for part in Stack(home, environ=environ, parts=SMALL).status().parts] == [State.STOPPED] * 4
    assert not Stack(home, environ=environ, parts=SMALL).down()


def test_up_twice_starts_nothing_twice(home: Path, environ: dict[str, str]) -> None:
    """The second says so by returning False."""
    stack = Stack(home, environ=environ, parts=SMALL)
    assert stack.up()
    before = left(home)
    assert not stack.up()
    assert left(home) == before


def test_what_died_is_started_again_and_the_rest_is_left_alone(home: Path, environ: dict[str, str]) -> None:
    """At its old address, so that programs need not be told."""
    stack = Stack(home, environ=environ, parts=SMALL)
    stack.up()
    before = {part.name: part for part in stack.status().parts}
    redis = psutil.Process(before["redis"].pid)
    redis.kill()
    redis.wait(timeout=10)
    assert stack.up()
    after = {part.name: part for part in stack.status().parts}
    assert after["redis"].pid != before["redis"].pid
    assert after["redis"].address == before["redis"].address
    assert [after[name] for name in ("kafka", "registry", "mail")] == [
        before[name] for name in ("kafka", "registry", "mail")
    ]


def test_a_server_that_fails_is_shown_with_the_end_of_its_log(home: Path, environ: dict[str, str]) -> None:
    """And what was started before it is taken down."""
    parts = (*SMALL[:3], small("mail", BROKEN))
    with pytest.raises(StackError) as failure:
        Stack(home, environ=environ, parts=parts).up()
    told = str(failure.value)
    assert "mail did not start" in told
    assert "the disk is on fire" in told
    assert "mail.log" in told
    assert left(home) == []


def test_a_server_whose_pid_was_never_noted_is_ended_all_the_same(home: Path, environ: dict[str, str]) -> None:
    """An `up` that was killed right after a start leaves one behind that no record knows."""
    stack = Stack(home, environ=environ, parts=SMALL)
    stack.up()
    (home / "stack.json").unlink()
    assert stack.down()
    assert left(home) == []


def test_purge_leaves_no_file(home: Path, environ: dict[str, str]) -> None:
    """Data, mail, logs and record are gone; what others keep in the home stays."""
    stack = Stack(home, environ=environ, parts=SMALL)
    stack.up()
    (home / "demo").mkdir()
    stack.down(purge=True)
    assert [path.name for path in home.iterdir()] == ["demo"]


def test_two_homes_are_two_stacks(home: Path, environ: dict[str, str]) -> None:
    """Ending one leaves the other as it is."""
    one, other = (Stack(home / name, environ=environ, parts=SMALL) for name in ("one", "other"))
    try:
        one.up()
        other.up()
        assert set(one.environment().values()).isdisjoint(other.environment().values())
        one.down()
        assert other.status().running
    finally:
        one.down()
        other.down()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_stack_for_a_block_ends_with_the_program(
    home: Path, environ: dict[str, str], number: signal.Signals, code: int
) -> None:
    """Ctrl-C, a closed terminal and a polite kill: nothing is left running."""
    program = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from deploy.local import running_stack
        from tests.deploy.test_stack_rules import SMALL
        try:
            with running_stack(Path({str(home)!r}), environ={environ!r}, parts=SMALL):
                print("running", flush=True)
                time.sleep(60)
        except KeyboardInterrupt:
            sys.exit(130)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, preexec_fn=hears_interrupts
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    assert len(left(home)) == 4
    child.send_signal(number)
    assert child.wait(timeout=30) == code
    child.stdout.close()
    assert left(home) == []


def test_a_ctrl_c_halfway_takes_down_what_was_started(home: Path, environ: dict[str, str]) -> None:
    """One server never answers; the others run already when the person gives up."""
    mute = small("kafka", "import time; time.sleep(60)")
    began = time.monotonic()

    def impatient(address: str) -> None:
        if time.monotonic() - began > 1:
            raise KeyboardInterrupt
        raise SilentError("not yet")

    parts = (Part(mute.name, mute.variable, mute.ports, mute.address, mute.command, impatient), *SMALL[1:])
    with pytest.raises(KeyboardInterrupt):
        Stack(home, environ=environ, parts=parts).up()
    assert left(home) == []


def test_servers_named_in_the_environment_are_asked_and_nothing_is_started(tmp_path: Path) -> None:
    """Those that do not answer are named, each with its reason."""
    given = {
        "CARELINE_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "CARELINE_REGISTRY_URL": "http://127.0.0.1:1",
        "CARELINE_REDIS_URL": "redis://127.0.0.1:1",
        "CARELINE_SMTP_URL": "smtp://127.0.0.1:1",
    }
    with pytest.raises(StackError) as failure:
        Stack(tmp_path / "home", environ=given).up()
    assert all(address in str(failure.value) for address in given.values())
    assert not (tmp_path / "home").exists()
    assert stack_environment(tmp_path / "home", environ=given) == given
    assert not Stack(tmp_path / "home", environ=given).down()


def test_our_own_addresses_in_the_environment_are_not_somebody_elses(home: Path, environ: dict[str, str]) -> None:
    """After `eval "$(careline stack env)"` the stack can still be asked, ended, and started again."""
    stack = Stack(home, environ=environ, parts=SMALL)
    stack.up()
    evaluated = {name: value for name, value in environ.items() if name != "CARELINE_STACK"} | stack.environment()
    again = Stack(home, environ=evaluated, parts=SMALL)
    assert again.status().mode == "local"
    assert again.down()
    assert left(home) == []
    assert again.environment() == stack.environment()


def test_a_machine_that_lacks_something_is_told_before_anything_starts(tmp_path: Path) -> None:
    """No directory is made either."""
    bare = {"PATH": str(tmp_path), "CARELINE_CACHE": str(tmp_path / "cache"), "CARELINE_STACK": "docker"}
    with pytest.raises(MissingError), running_stack(tmp_path / "home", environ=bare):
        pass
    assert not (tmp_path / "home").exists()


def test_no_stack_has_no_settings(tmp_path: Path) -> None:
    """The person is told how to get one."""
    with pytest.raises(StackError, match="careline stack up"):
        stack_environment(tmp_path, environ={})
