"""The stack: starts and stops Kafka, the schema registry, Redis and a mail sink together, and what watches them."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from deploy.local import preflight, probes
from deploy.local.engines import Engine, engine_for
from deploy.local.errors import PrepareError, StackError
from deploy.local.interrupts import endings_raised, uninterrupted
from deploy.local.monitoring import MONITORING, demand_programs
from deploy.local.parts import PARTS, Part
from deploy.local.place import Place, Record, Started, asked_port, free_port
from deploy.local.processes import last_lines, marked, stop
from deploy.local.progress import Report, Silent, short
from deploy.local.status import PartStatus, State, Status
from deploy.local.together import finished
from streams.secrets import without_credentials

MAIL_VARIABLE = "CARELINE_MAIL_DIR"
TARGETS_VARIABLE = "CARELINE_OPS_TARGETS"
_PATIENCE = timedelta(seconds=90)
"""How long a part may take to answer; ten times what a slow machine needs."""

ROLE = "role"
"""The mark of a kept demo's roles, so that they are stopped together with their stack."""

_ROLES_GRACE = timedelta(seconds=20)


class Stack:
    """One stack in one home. The processes outlive this object; another object for the same home finds them again."""

    def __init__(
        self,
        home: Path | str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        report: Report | None = None,
        parts: Sequence[Part] = PARTS,
        monitoring: bool = False,
        watchers: Sequence[Part] = MONITORING,
    ) -> None:
        """`home` as in Place.of; `environ` is os.environ by default; `monitoring`: `up` also starts the `watchers`."""
        self._environ = dict(os.environ if environ is None else environ)
        self.place = Place.of(home, self._environ)
        self._report = report or Silent()
        self._parts = tuple(parts)
        self._watchers = tuple(watchers)
        self._monitoring = monitoring
        self._writing = threading.Lock()

    def up(self) -> bool:
        """Start the missing parts, and wait until every part answers; returns False if all ran already.

        If it fails or is interrupted, the parts that it started are stopped again. Raises preflight.MissingError before
        anything starts, and StackError.
        """
        if self._monitoring:
            demand_programs(self._environ)
        if self._mode() == "env":
            silent = [f"{part.name} at {part.address}: {part.why}" for part in self._foreign() if part.why]
            if silent:
                raise StackError(
                    "These servers, named in the environment, do not answer:\n  "
                    + "\n  ".join(silent)
                    + "\nUnset "
                    + ", ".join(preflight.ADDRESS_VARIABLES)
                    + " to have a stack started instead."
                )
            if not self._monitoring:
                return False
        with endings_raised(), self.place.locked():
            return self._start_missing()

    def down(self, *, purge: bool = False) -> bool:
        """Stop every part, by force after its grace period; `purge` also deletes data, mail and logs.

        Returns False if nothing ran. Raises StackError if something still runs afterwards.
        """
        if not self.place.home.exists():
            return False
        with uninterrupted(), self.place.locked():
            record = Record.read(self.place.record)
            known = (*self._parts, *self._watchers)
            # roles first: they can shut down cleanly only while the servers answer
            ran = bool(roles := marked(self.place.mark(ROLE)))
            stop(roles, grace=_ROLES_GRACE)
            if record is not None:
                engine = engine_for(record.mode, self.place, self._environ)
                mine = {part: record.parts[part.name] for part in known if part.name in record.parts}
                ran |= any(engine.alive(part, started) for part, started in mine.items())
                engine.stop(mine, purge=purge)
                for started in record.parts.values():
                    started.process = None
                record.write(self.place.record)
            if left := marked(self.place.mark()):
                # Not everything was recorded, because an `up` was killed between starting a part and recording it.
                ran = True
                engine_for("local", self.place, self._environ).stop({part: Started({}, "") for part in known})
                if left := marked(self.place.mark()):
                    raise StackError(f"still running: pid {', '.join(str(identity.pid) for identity in left)}")
            if purge:
                self._purge()
        if purge:
            with contextlib.suppress(OSError):
                self.place.home.rmdir()
        return ran

    def status(self) -> Status:
        """Probe every part. Raises StackError for an unreadable record."""
        record = Record.read(self.place.record)
        watchers = [part for part in self._watchers if self._watching(record, part)]
        if self._uses_environment(record):
            return Status(mode="env", parts=(*self._foreign(), *self._own(record, watchers)))
        if record is None:
            return Status(mode="none", parts=())
        return Status(mode=record.mode, parts=tuple(self._own(record, [*self._parts, *watchers])))

    @staticmethod
    def _watching(record: Record | None, part: Part) -> bool:
        """Whether it was started, and not stopped since; it may have crashed."""
        return record is not None and part.name in record.parts and record.parts[part.name].process is not None

    def _own(self, record: Record | None, parts: Sequence[Part]) -> list[PartStatus]:
        if record is None:
            return []
        engine = engine_for(record.mode, self.place, self._environ)
        found = []
        for part in parts:
            started = record.parts.get(part.name)
            if started is None or not engine.alive(part, started):
                address = started.address if started else ""
                log = self.place.log(part.name)
                found.append(PartStatus(part.name, State.STOPPED, address, log, None, watches=part.watches))
                continue
            why = probes.silence(part.probe, started.address)
            state = State.SILENT if why else State.RUNNING
            pid = started.process.pid if started.process else None
            log, name = self.place.log(part.name), part.name
            found.append(PartStatus(name, state, started.address, log, pid, why or "", part.watches))
        return found

    def environment(self) -> dict[str, str]:
        """The settings that programs need to use this stack. Raises StackError if it was not started."""
        record = Record.read(self.place.record)
        watched = any(self._watching(record, part) for part in self._watchers)
        targets = {TARGETS_VARIABLE: str(self.place.targets)} if watched else {}
        if self._uses_environment(record):
            names = (*preflight.ADDRESS_VARIABLES, MAIL_VARIABLE)
            return {name: self._environ[name] for name in names if self._environ.get(name)} | targets
        if record is None or not record.variables:
            raise StackError(f"there is no stack in {short(self.place.home)}: start one with `careline stack up`")
        return record.variables | targets

    def _mode(self) -> str:
        record = Record.read(self.place.record)
        if self._uses_environment(record):
            return "env"
        if record is not None:
            engine = engine_for(record.mode, self.place, self._environ)
            if any(engine.alive(part, record.parts[part.name]) for part in self._parts if part.name in record.parts):
                return record.mode
        # A complete set of addresses that are not ours was handled above.
        own = {name: value for name, value in self._environ.items() if name not in preflight.ADDRESS_VARIABLES}
        return preflight.choose(own)

    def _uses_environment(self, record: Record | None) -> bool:
        forced = self._environ.get(preflight.MODE_VARIABLE, "")
        if forced:
            return forced == "env" and preflight.choose(self._environ) == "env"
        given = {name: self._environ.get(name, "") for name in preflight.ADDRESS_VARIABLES}
        if not all(given.values()):
            return False
        # Our own addresses, from `careline stack env`, do not count as another stack.
        return record is None or any(record.variables.get(name) != value for name, value in given.items())

    def _foreign(self) -> list[PartStatus]:
        secured = self._environ.get("CARELINE_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT") != "PLAINTEXT"
        found = []
        for part in self._parts:
            address = self._environ[part.variable].rstrip("/")
            probe = probes.kafka_port if part.name == "kafka" and secured else part.probe
            why = probes.silence(probe, address)
            found.append(
                PartStatus(
                    part.name,
                    State.SILENT if why else State.RUNNING,
                    without_credentials(address),
                    None,
                    None,
                    why or "",
                )
            )
        return found

    def _start_missing(self) -> bool:
        place = self.place
        mode = self._mode()
        place.create()
        engine = engine_for(mode, place, self._environ)
        record = Record.read(self.place.record)
        if record is None or record.mode != mode:
            record = Record(mode=mode)
        own = () if mode == "env" else self._parts
        wanted = (*own, *self._watchers) if self._monitoring else own
        missing = [part for part in wanted if not self._answers(engine, part, record.parts.get(part.name))]
        if not missing:
            return False
        # Parts that run but do not answer, or that were started but not recorded, would be in the way.
        engine.stop({part: record.parts.get(part.name, Started({}, "")) for part in missing})
        taken = {port for started in record.parts.values() for port in started.ports.values()}
        for part in missing:
            before = record.parts[part.name].ports if part.name in record.parts else {}
            ports: dict[str, int] = {}
            for name in part.ports:
                asked = asked_port(name, self._environ) if part.watches else None
                ports[name] = asked or free_port(taken=taken - set(before.values()), preferred=before.get(name))
                taken.add(ports[name])
            record.parts[part.name] = Started(ports=ports, address=part.address(ports))
        record.variables = {part.variable: record.parts[part.name].address for part in own}
        record.variables |= {MAIL_VARIABLE: str(place.mail)} if own else {}
        record.write(place.record)
        try:
            with self._report:
                if not all(part.watches for part in missing):
                    engine.prepare(self._report)
                self._start(engine, missing, record)
        except BaseException:
            with uninterrupted():
                engine.stop({part: record.parts[part.name] for part in missing})
                for part in missing:
                    record.parts[part.name].process = None
                record.write(place.record)
            raise
        return True

    @staticmethod
    def _answers(engine: Engine, part: Part, started: Started | None) -> bool:
        if started is None or not engine.alive(part, started):
            return False
        # Twice, because a busy server may miss one probe.
        return any(probes.silence(part.probe, started.address) is None for _ in range(2))

    def _start(self, engine: Engine, parts: list[Part], record: Record) -> None:
        given_up = threading.Event()
        pool = ThreadPoolExecutor(max_workers=len(parts), thread_name_prefix="stack")
        try:
            finished([pool.submit(self._start_one, engine, part, record, given_up) for part in parts])
        finally:
            given_up.set()
            # Once all threads have returned, nothing more is started, so the shutdown misses nothing.
            with uninterrupted():
                pool.shutdown(wait=True)

    def _start_one(self, engine: Engine, part: Part, record: Record, given_up: threading.Event) -> None:
        started, log = record.parts[part.name], self.place.log(part.name)
        self._report.starting(part.name, started.address, log)
        try:
            identity = engine.start(part, started.ports)
            with self._writing:
                started.process = identity
                record.write(self.place.record)
        except (PrepareError, OSError) as error:
            raise StackError(self._story(part, str(error))) from error
        until = time.monotonic() + _PATIENCE.total_seconds()
        while not given_up.is_set():
            try:
                part.probe(started.address)
                if part.settle is not None:
                    part.settle(started.address)
                self._report.ready(part.name, started.address, log)
                return
            except probes.SilentError as error:
                if not engine.alive(part, started):
                    raise StackError(self._story(part, "it ended while it was starting")) from None
                if time.monotonic() > until:
                    patience = f"{_PATIENCE.total_seconds():.0f} s"
                    raise StackError(self._story(part, f"no answer after {patience}: {error}")) from None
            given_up.wait(0.1)

    def _story(self, part: Part, what: str) -> str:
        log = self.place.log(part.name)
        told = last_lines(log)
        excerpt = f"\nThe end of {short(log)}:\n" + "\n".join(f"  {line}" for line in told.splitlines()) if told else ""
        return f"{part.name} did not start: {what}{excerpt}"

    def _purge(self) -> None:
        for directory in (self.place.data, self.place.mail, self.place.logs):
            shutil.rmtree(directory, ignore_errors=True)
        self.place.record.unlink(missing_ok=True)
        (self.place.home / "lock").unlink(missing_ok=True)
