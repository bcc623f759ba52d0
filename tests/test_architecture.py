"""How the parts may know one another. Read from the source itself, every module of it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "streams", "processors", "deploy")
TESTS = re.compile(r"processors/policies/\w+/tests/.*")
"""A policy's tests stand in its folder and are no part of what runs."""

MOST_LINES = 300

LONGER: dict[str, str] = {"streams.events.journeys": "one record, JourneyState, and the records that only it holds"}
"""Modules over 300 lines, each with the reason why it is one idea all the same."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the project by its dotted name, parsed."""
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if TESTS.fullmatch(str(file.relative_to(ROOT))):
                continue
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    assert len(found) > 50, "the project's modules were not found"
    return found


def imports(name: str) -> Iterator[str]:
    """What a module imports, wherever in it: ``from a import b`` is ``a`` and, as it may be a module, ``a.b``."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            assert node.module is not None
            yield node.module
            for alias in node.names:
                if f"{node.module}.{alias.name}" in modules():
                    yield f"{node.module}.{alias.name}"


def within(name: str, *packages: str) -> bool:
    """Whether the module is one of these packages or inside of one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(of: str, *forbidden: str, but: tuple[str, ...] = ()) -> list[str]:
    """Imports of forbidden packages by modules inside ``of``."""
    return [
        f"{name} imports {imported}"
        for name in modules()
        if within(name, of)
        for imported in imports(name)
        if within(imported, *forbidden) and not within(imported, *but)
    ]


def test_schemas_know_nobody() -> None:
    """The contract stands by itself."""
    assert breaches("schemas", "streams", "processors", "deploy", "tests") == []


def test_streams_know_only_the_contract() -> None:
    """The wire knows no policy."""
    assert breaches("streams", "processors", "deploy", "tests") == []


def test_processors_know_nothing_of_the_tests() -> None:
    """What runs does not lean on what checks it."""
    assert breaches("processors", "tests") == []
    assert breaches("deploy", "tests") == []


def test_the_local_stack_knows_no_processor() -> None:
    """The local stack starts servers; what runs on them is none of its business."""
    assert breaches("deploy.local", "processors") == []


def test_only_the_command_line_starts_servers() -> None:
    """Of the processors only the command line and the demo that it runs know the local stack."""
    found = breaches("processors", "deploy")
    assert [one for one in found if not within(one.split()[0], "processors.cli", "processors.demo")] == []


CORE_MAY_IMPORT = (
    "processors.journey",
    "processors.language",
    "streams.addresses",
    "streams.clock",
    "streams.events",
    "streams.zones",
)


WHAT_IS_AROUND = ("page", "section")
"""Modules of policies that decide nothing: how a policy is found, checked and shown."""


def decides(name: str) -> bool:
    """Whether the module is of the core, or of what a policy decides."""
    if within(name, "processors.journey"):
        return True
    parts = name.split(".")
    return within(name, "processors.policies") and len(parts) > 3 and parts[-1] not in WHAT_IS_AROUND


def test_the_core_is_pure() -> None:
    """What decides about customers, in the core and in every policy, knows the standard library, the events, how to
    compare addresses and languages, and how to count milliseconds; a policy knows itself besides, and no other."""
    found = [
        f"{name} imports {imported}"
        for name in modules()
        if decides(name)
        for imported in imports(name)
        if imported.split(".")[0] not in sys.stdlib_module_names
        and not within(imported, *CORE_MAY_IMPORT, *([name.rpartition(".")[0]] if ".policies." in name else []))
    ]
    assert found == []
    assert {"processors.policies.delay_care.decisions", "processors.policies.recovery.rules"} <= set(
        filter(decides, modules())
    )


def test_a_policy_knows_no_other() -> None:
    """Each can be taken out: neither another policy nor anything else imports what is in its folder."""
    found = []
    for name in modules():
        for imported in imports(name):
            parts = imported.split(".")
            if parts[:2] == ["processors", "policies"] and len(parts) > 2 and is_folder(parts[2]):
                own = ".".join(parts[:3])
                found += [] if within(name, own) else [f"{name} imports {imported}"]
    assert found == []


def is_folder(policy: str) -> bool:
    """Whether there is such a folder of a policy."""
    return f"processors.policies.{policy}.decisions" in modules()


IMPURE = {"os", "io", "socket", "subprocess", "asyncio", "threading", "random", "secrets", "time", "logging", "pathlib"}


def test_the_core_does_nothing_but_think() -> None:
    """It reads no file, asks no clock, throws no dice."""
    found = [
        f"{name} imports {imported}"
        for name in modules()
        if decides(name)
        for imported in imports(name)
        if imported.split(".")[0] in IMPURE
    ]
    for name, tree in modules().items():
        if decides(name):
            found += [
                f"{name}:{node.lineno} calls {node.func.attr}()"
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("now", "utcnow", "today", "uuid4", "uuid1")
            ]
            found += [
                f"{name}:{node.lineno} opens a file"
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "input")
            ]
    assert found == []


def reach(*packages: str) -> set[str]:
    """The modules of these packages, and all that they import, and what those import, and so on."""
    found: set[str] = set()
    left = [name for name in modules() if within(name, *packages)]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [one for one in named(modules()[name]) if one in modules()]
    return found


def names(module: str) -> set[str]:
    """Every name and attribute that stands in a module."""
    found = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name.rpartition(".")[2])
    return found


ADMIN_MAY = {"start", "close", "describe_topics", "list_consumer_group_offsets"}
"""What a replay asks of Kafka's administration: it looks, and changes nothing."""


def test_a_replay_can_send_nothing() -> None:
    """Nothing that it reaches, however many imports away, knows a producer, a transaction or a channel."""
    reached = reach("processors.replay", "processors.cli.replay")
    assert {"processors.journey.core", "processors.replay.kafka", "streams.processor.intake"} <= reached
    streams = (
        "publishing.publisher",
        "subscribing.subscriber",
        "processor.transaction",
        "processor.partition",
        "processor.tenure",
        "broker.kafka",
        "broker.memory",
        "processor.service",
    )
    senders = [f"streams.{part}" for part in streams] + ["processors.outreach"]
    values = {"processors.outreach.settings"}  # what the environment says, and no more
    assert [name for name in sorted(reached - values) if within(name, *senders)] == []
    assert all(any(within(name, sender) for name in modules()) for sender in senders), "they are called so"
    sending = {"produce", "send", "send_and_wait", "send_batch", "commit", "begin_transaction", "subscribe"}
    found = {name: {one for one in names(name) if "Producer" in one or one in sending} for name in reached}
    assert {name: some for name, some in found.items() if some} == {}
    assert names("streams.publishing.publisher") & {"AIOKafkaProducer", "send"}, "the check sees what it should"


def test_a_replay_only_looks() -> None:
    """Kafka's administration and its consumers are asked, by one module, and for nothing that changes anything."""
    clients = ("AIOKafkaConsumer", "AIOKafkaAdminClient")
    looked_at = sorted(reach("processors.replay") - {"streams.broker.fetched"})  # which hands the class on
    assert [name for name in looked_at if names(name) & set(clients)] == ["processors.replay.kafka"]
    tree = modules()["processors.replay.kafka"]
    asked = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "admin"
    }
    assert asked == ADMIN_MAY
    consumers = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and names_of(node) == "AIOKafkaConsumer"]
    assert len(consumers) == 2
    for consumer in consumers:
        given = {keyword.arg: keyword.value for keyword in consumer.keywords}
        assert "group_id" not in given
        assert isinstance(auto := given["enable_auto_commit"], ast.Constant)
        assert auto.value is False


def names_of(call: ast.Call) -> str:
    """What is called, if it has a plain name."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def test_what_a_reader_takes_is_decided_in_one_place() -> None:
    """No role, and no replay, asks the rules of the contract by itself; a publisher asks what it may send."""
    asks = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("check_touchpoint", "writers.check"))
    }
    assert asks == {"streams.publishing.validation", "streams.subscribing.admission"}


def test_nothing_imports_itself_in_a_circle() -> None:
    """No module needs another that needs it: one can be read after the other."""
    graph = {name: {one for one in top_imports(name) if one in modules() and one != name} for name in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for needed in sorted(graph[name]):
                if not within(name, needed):  # a package's own module does not need what the package gathers
                    visit(needed, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def top_imports(name: str) -> Iterator[str]:
    """What is imported as soon as the module is: a submodule where one is named, else the module."""
    return named(modules()[name], deep=False)


def named(tree: ast.Module, *, deep: bool = True) -> Iterator[str]:
    """What a module names to be imported, wherever in it or at its top: a submodule where one is, else the module."""
    for node in ast.walk(tree) if deep else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules() else node.module


def test_a_module_is_one_idea() -> None:
    """Past 300 lines, ask what the second idea is; a module listed here has said why it has none."""
    lengths = {name: len(path(name).read_text(encoding="utf-8").splitlines()) for name in modules()}
    too_long = {name: length for name, length in lengths.items() if length > MOST_LINES and name not in LONGER}
    assert too_long == {}
    assert [name for name in LONGER if lengths.get(name, 0) <= MOST_LINES] == [], "listed, but not too long any more"


def path(name: str) -> Path:
    """The module's file."""
    file = ROOT.joinpath(*name.split("."))
    return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_public_states_its_promise(package: str) -> None:
    """Every module, and every public class and function in it, says what it is for."""
    found = []
    for name, tree in modules().items():
        if within(name, package):
            if ast.get_docstring(tree) is None:
                found.append(name)
            found += [f"{name}.{thing}" for thing in undocumented(tree)]
    assert found == []


def undocumented(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """Public classes, functions and methods without a docstring; a protocol's and an override's property may do."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not is_stub_property(node):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node, f"{prefix}{node.name}.")


def is_stub_property(node: ast.AST) -> bool:
    """A protocol's property: its class says what it is."""
    return (
        isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)
        and all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in node.body)
    )


def test_names_say_what_is_inside() -> None:
    """Nothing is called utils, helpers or manager."""
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    assert [name for name in modules() if vague & set(name.split("."))] == []
