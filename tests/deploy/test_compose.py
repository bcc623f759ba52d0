"""docker-compose.yml and what Prometheus scrapes of it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.local.parts import PARTS

ROOT = Path(__file__).parents[2]
ROLES = ("journeys", "outreach", "view", "measure", "gateway")


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, anchors and merges resolved."""
    found = load("docker-compose.yml")
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """The schema of the Compose Specification; its origin is noted beside it."""
    schema = json.loads((Path(__file__).parent / "compose-spec" / "compose-spec.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_compose_file_keeps_to_the_specification(
    compose: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    """Checked against the published schema."""
    assert [error.message for error in validator.iter_errors(compose)] == []


def test_the_schema_finds_a_mistake(compose: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    """A misspelt key would be reported: the check above can fail."""
    broken = compose | {"services": compose["services"] | {"kafka": {"image": "x", "helthcheck": {}}}}
    assert not validator.is_valid(broken)


def test_everything_long_running_has_a_health_check(compose: dict[str, Any]) -> None:
    """The one-shot set-up alone has none: it is waited for by its end."""
    without = [name for name, service in compose["services"].items() if "healthcheck" not in service]
    assert without == ["setup"]


def test_whoever_is_waited_for_can_be_waited_for(compose: dict[str, Any]) -> None:
    """Each condition fits its service, and no service waits for one that is not there."""
    services = compose["services"]
    for name, service in services.items():
        for needed, demand in service.get("depends_on", {}).items():
            assert needed in services, f"{name} waits for {needed}"
            expected = "service_completed_successfully" if needed == "setup" else "service_healthy"
            assert demand["condition"] == expected, f"{name} waits for {needed}"


def test_a_role_starts_only_when_topics_and_schemas_are_there(compose: dict[str, Any]) -> None:
    """And the set-up itself only when Kafka and the registry answer."""
    services = compose["services"]
    for role in ROLES:
        assert {"setup", "kafka", "registry", "redis"} <= services[role]["depends_on"].keys()
        assert services[role]["command"] == ["run", role]
    assert "mail" in services["outreach"]["depends_on"]
    assert services["setup"]["command"][0].endswith(" && careline schemas apply && careline topics apply --yes")


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    """Nothing here asks for a password, so nothing may be reached from elsewhere."""
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert len(published) >= 9
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_local_stack_can_choose_the_ports(compose: dict[str, Any]) -> None:
    """The variables that `careline stack up` sets are those that the file reads."""
    for part in PARTS:
        variable = f"CARELINE_{part.name.upper()}_PORT"
        assert any(f"${{{variable}:-" in port for port in compose["services"][part.name]["ports"])


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    """A version each, and the same Kafka and registry as without containers."""
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert [image for image in images.values() if ":" not in image or image.endswith(":latest")] == []
    pom = (ROOT / "deploy" / "local" / "pom.xml").read_text()
    for service, property_name in (("kafka", "kafka.version"), ("registry", "apicurio.version")):
        version = re.search(f"<{property_name}>(.+)</{property_name}>", pom)
        assert version is not None
        assert images[service].endswith(":" + version.group(1))


def test_the_registry_recognises_schemas_as_the_local_one_does(compose: dict[str, Any]) -> None:
    """By what they say, not by their bytes: else clients of other languages do not find them."""
    assert compose["services"]["registry"]["environment"]["APICURIO_CCOMPAT_USE_CANONICAL_HASH"] == "true"


def test_prometheus_scrapes_every_role_where_it_listens(compose: dict[str, Any]) -> None:
    """A role that moves to another port, or is added, is scraped there."""
    config = load("deploy/prometheus/prometheus.yml")
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    scraped = {
        group["labels"]["role"]: target for group in jobs["careline"]["static_configs"] for target in group["targets"]
    }
    expected = {
        name: f"{name}:{service['environment']['CARELINE_OPS_PORT']}"
        for name, service in compose["services"].items()
        if service.get("command", [""])[0] == "run"
    }
    assert scraped == expected
    assert set(expected) == set(ROLES)
    assert (
        "./deploy/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro"
        in (compose["services"]["prometheus"]["volumes"])
    )


def test_what_is_mounted_is_there(compose: dict[str, Any]) -> None:
    """Docker would make an empty folder of a file that is missing, and the service would start without it."""
    mounted = [
        volume.split(":")
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]
    assert len(mounted) >= 5
    assert [source for source, _, _ in mounted if not (ROOT / source).exists()] == []
    assert [source for source, _, mode in mounted if mode != "ro"] == []


def test_grafana_asks_the_servers_of_the_compose_file(compose: dict[str, Any]) -> None:
    """Its data sources are services here, at the ports where they listen, and it knows how often Prometheus scrapes."""
    [source, alerts] = load("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    services = compose["services"]
    for one in (source, alerts):
        host, port = one["url"].removeprefix("http://").split(":")
        assert any(published.endswith(f":{port}") for published in services[host]["ports"]), one["name"]
    assert source["jsonData"]["timeInterval"] == load("deploy/prometheus/prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["alertmanagerUid"] == alerts["uid"]
    [provider] = load("deploy/grafana/provisioning/dashboards/careline.yml")["providers"]
    mounted = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    assert mounted["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = Path(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (ROOT / "deploy/grafana/dashboards" / home.name).is_file()


def test_nobody_changes_anything_in_grafana(compose: dict[str, Any]) -> None:
    """Whoever reaches the port may look, and nobody can log in."""
    settings = compose["services"]["grafana"]["environment"]
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert (settings["GF_AUTH_DISABLE_LOGIN_FORM"], settings["GF_AUTH_BASIC_ENABLED"]) == ("true", "false")


def test_the_image_is_built_from_files_that_it_is_given(compose: dict[str, Any]) -> None:
    """What the Dockerfile copies passes its ignore file, and it does not run as root."""
    dockerfile = ROOT / compose["services"]["journeys"]["build"]["dockerfile"]
    ignored = (dockerfile.parent / "Dockerfile.dockerignore").read_text().splitlines()
    lines = dockerfile.read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert [source for source in copied if f"!{source}" not in ignored] == []
    assert "USER careline" in lines
    assert any("--require-hashes -r requirements.lock" in line for line in lines)


def test_containers_cannot_change_what_they_run(compose: dict[str, Any]) -> None:
    """Their file system is read-only, but for /tmp and volumes; Kafka and the registry unpack and configure themselves
    at their start, and are left out."""
    writable = [name for name, service in compose["services"].items() if not service.get("read_only")]
    assert sorted(writable) == ["kafka", "registry"]
    for name in set(compose["services"]) - set(writable):
        assert "no-new-privileges:true" in compose["services"][name]["security_opt"], name


def test_the_image_is_built_of_what_is_locked() -> None:
    """Also what builds it: nothing is installed without a hash on record."""
    installs = re.findall(r"pip install .*", (ROOT / "deploy/docker/Dockerfile").read_text())
    assert installs
    assert all("--require-hashes" in one or "--no-deps --no-build-isolation" in one for one in installs)
    backend = re.search(r'requires = \["(hatchling==[^"]+)"\]', (ROOT / "pyproject.toml").read_text())
    assert backend is not None
    assert f"{backend[1]} " in (ROOT / "requirements.lock").read_text()
