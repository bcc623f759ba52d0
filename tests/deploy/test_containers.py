"""What is asked of Docker, written down by a stand-in for the program."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import Containers
from deploy.local.errors import PrepareError
from deploy.local.parts import PARTS
from deploy.local.place import Place, Started

KAFKA, REGISTRY, REDIS, MAIL = PARTS


class Docker:
    """Notes every call and answers as told."""

    def __init__(self, *, code: int = 0, prints: str = "") -> None:
        self.calls: list[tuple[str, ...]] = []
        self.environments: list[dict[str, str]] = []
        self._code, self._prints = code, prints

    def __call__(self, argv: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        project, words = argv[3], argv[6:]
        assert argv[:3] == ["docker", "compose", "--project-name"]
        assert argv[4] == "--file"
        assert Path(argv[5]).name == "docker-compose.yml"
        self.calls.append((project, *words))
        self.environments.append(options["env"])
        return subprocess.CompletedProcess(argv, self._code, stdout=self._prints, stderr="no such image")


def test_a_service_is_started_with_its_port_and_without_the_rest(tmp_path: Path) -> None:
    """The roles of the compose file are not wanted here."""
    docker = Docker()
    engine = Containers(Place(tmp_path), {}, run=docker)
    assert engine.start(KAFKA, {"kafka": 20_001, "controller": 20_002}) is None
    assert docker.calls == [(engine.project, "up", "--detach", "--no-deps", "kafka")]
    assert docker.environments[0]["CARELINE_KAFKA_PORT"] == "20001"


def test_two_homes_are_two_projects(tmp_path: Path) -> None:
    """Else the second `up` would take over the containers of the first."""
    assert Containers(Place(tmp_path / "a"), {}).project != Containers(Place(tmp_path / "b"), {}).project


@pytest.mark.parametrize(("prints", "alive"), [("3f2a\n", True), ("\n", False)])
def test_a_part_lives_if_its_container_does(tmp_path: Path, prints: str, *, alive: bool) -> None:
    """`docker compose ps --quiet` prints an id, or nothing."""
    engine = Containers(Place(tmp_path), {}, run=Docker(prints=prints))
    assert engine.alive(REDIS, Started({"redis": 1}, "redis://x")) is alive


def test_down_removes_the_containers_and_purge_their_volumes(tmp_path: Path) -> None:
    """Without `purge` the topics are there at the next `up`."""
    docker = Docker()
    engine = Containers(Place(tmp_path), {}, run=docker)
    parts = {part: Started({}, "") for part in (KAFKA, REGISTRY, REDIS, MAIL)}
    engine.stop(parts)
    engine.stop(parts, purge=True)
    assert docker.calls == [
        (engine.project, "rm", "--stop", "--force", "kafka", "registry", "redis"),
        (engine.project, "down", "--volumes", "--remove-orphans"),
    ]


def test_what_docker_complains_of_is_shown(tmp_path: Path) -> None:
    """With the command, so that a person can try it."""
    engine = Containers(Place(tmp_path), {}, run=Docker(code=1))
    with pytest.raises(PrepareError, match="up --detach --no-deps registry` failed:\nno such image"):
        engine.start(REGISTRY, {"registry": 20_003})
