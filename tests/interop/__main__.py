"""`make interop`: the programs in Java and Go publish, and what they wrote is read back and compared.

Uses the servers named in the environment, else a local stack of its own. Ends with 1 where a program fails or what it
wrote is not as our own publisher would have written it, and with 2 where a language's tools are not on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import schemas
from deploy.local import running_stack, stack_environment
from schemas import contract
from streams.broker.provision import set_up
from streams.config import Settings
from streams.processor.intake import partition_of
from streams.registry.registry import ConfluentRegistry
from streams.subscribing.subscriber import Subscriber
from tests.interop.lookups import as_java_writes

HERE = Path(__file__).parent
RECORD = "careline.touchpoint.OrderDelivered"
SCHEMA = contract.HOME / "touchpoint" / "OrderDelivered" / "v1.avsc"
FAILED, MISSING = 1, 2


def java(env: Mapping[str, str], run: str) -> list[str]:
    """Dependencies from Maven's own repositories, then the program from its source."""
    jars = Path(tempfile.gettempdir()) / "careline-interop-java"
    maven = ["mvn", "-q", "-B", "-f", str(HERE / "java" / "pom.xml"), "dependency:copy-dependencies"]
    subprocess.run([*maven, f"-DoutputDirectory={jars}"], check=True, env=dict(env))
    return ["java", "-cp", f"{jars}/*", str(HERE / "java" / "Publish.java"), str(SCHEMA), run]


def go(env: Mapping[str, str], run: str) -> list[str]:
    """Modules from Go's own proxy; go.sum says what they must be."""
    del env
    return ["go", "-C", str(HERE / "go"), "run", ".", str(SCHEMA), run]


LANGUAGES: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, str], str], list[str]]]] = {
    "java": (("java", "mvn"), java),
    "go": (("go",), go),
}


def main() -> int:
    """Run what was asked for; the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    options.add_argument("--only", choices=LANGUAGES, nargs="+", default=list(LANGUAGES))
    wanted = options.parse_args().only
    missing = [tool for name in wanted for tool in LANGUAGES[name][0] if shutil.which(tool) is None]
    if missing:
        print(f"not on this machine: {', '.join(missing)}; --only names the languages to run", file=sys.stderr)
        return MISSING
    with tempfile.TemporaryDirectory() as home, running_stack(Path(home), purge=True) as stack:
        addresses = stack_environment(stack.place.home)
        addresses = {key: value for key, value in addresses.items() if key != "CARELINE_MAIL_DIR"}
        env = {**os.environ, **addresses, "CARELINE_TOPIC_PREFIX": f"interop-{uuid.uuid4().hex[:8]}."}
        settings = Settings.from_environment(env)
        asyncio.run(set_up(settings))
        problems = [problem for name in wanted for problem in try_out(name, settings, env)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return FAILED if problems else 0


def try_out(language: str, settings: Settings, env: Mapping[str, str]) -> list[str]:
    """Run one language's program; what is wrong with what it wrote."""
    run = uuid.uuid4().hex[:8]
    program = LANGUAGES[language][1](env, run)
    done = subprocess.run(program, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"{language}: ended with {done.returncode}: {done.stderr.strip()[-2000:]}"]
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    wrong = asyncio.run(compare(language, said, settings))
    for one in said:
        print(f"{language:<5} by {one['by']:<20} schema id {one['id']}, partition {one['partition']}", flush=True)
    return wrong


async def compare(language: str, said: list[dict[str, Any]], settings: Settings) -> list[str]:
    """Ids as ours, each key where our own publisher puts it, every record readable."""
    topics = settings.topics
    registry = ConfluentRegistry(settings)
    try:
        subject = topics.subject(topics.touchpoints, RECORD)
        first, latest = [await registry.id_of(subject, (*schemas.versions(RECORD),)[index]) for index in (0, -1)]
    finally:
        await registry.close()
    async with Subscriber(settings, "touchpoints", until_end=True) as subscriber:
        read = {message.key: message async for message in subscriber}
    wrong = [] if len(said) == 3 else [f"{len(said)} of 3 ways were tried"]
    for one in said:
        customer, by = one["customer_id"], one["by"]
        if one["id"] != (latest if by == "latest" else first):
            wrong.append(f"by {by}: schema id {one['id']}, not that of our own publisher")
        if customer not in read:
            wrong.append(f"by {by}: nothing that can be read came of it")
        elif read[customer].partition != partition_of(customer.encode(), settings.partitions):
            wrong.append(f"by {by}: on partition {read[customer].partition}, not where this customer's events belong")
        if language == "java" and by != "latest" and one["schema"] != as_java_writes(SCHEMA.read_text()):
            wrong.append("Java writes the schema otherwise than tests/interop/lookups.py takes it to")
    return [f"{language}: {problem}" for problem in wrong]


if __name__ == "__main__":
    sys.exit(main())
