"""Settings: read once from the environment, refused by the name of the variable, and never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from processors.settings import Settings
from streams.config import TimeSource
from streams.errors import SettingsError


def test_nothing_set_is_a_machine_of_ones_own() -> None:
    """Without any setting everything is on this machine."""
    settings = Settings.from_environment({})
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.topics.full_name(settings.topics.touchpoints) == "careline.touchpoints"
    assert settings.time_source is TimeSource.WALL


def test_from_the_environment() -> None:
    """Each setting has its variable; what belongs to others is left alone."""
    settings = Settings.from_environment(
        {
            "CARELINE_KAFKA_BOOTSTRAP": "a:1,b:2",
            "CARELINE_TOPIC_PREFIX": "test.",
            "CARELINE_PARTITIONS": "8",
            "CARELINE_KEEP_HISTORY": "true",
            "CARELINE_TIME_SOURCE": "events",
            "HOME": "/root",
            "CARELINE_SOMETHING_ELSE": "x",
        }
    )
    assert settings.kafka_client()["bootstrap_servers"] == ["a:1", "b:2"]
    assert settings.topics.full_name(settings.topics.journeys) == "test.journeys"
    assert (settings.partitions, settings.keep_history, settings.time_source) == (8, True, TimeSource.EVENTS)


def test_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is given it is the process's own."""
    monkeypatch.setenv("CARELINE_INSTANCE", "blue-3")
    assert Settings.from_environment().instance == "blue-3"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CARELINE_PARTITIONS", "0"),
        ("CARELINE_PARTITIONS", "many"),
        ("CARELINE_TOPIC_PREFIX", "care line/"),
        ("CARELINE_KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("CARELINE_TIME_SOURCE", "sundial"),
        ("CARELINE_OPS_PORT", "70000"),
        ("CARELINE_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    """Whoever has to put it right is told which variable it is."""
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        Settings.from_environment({variable: value})


def test_all_that_is_wrong_at_once() -> None:
    """Two mistakes are told in one go."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"CARELINE_PARTITIONS": "0", "CARELINE_REPLICATION": "0"})
    assert "CARELINE_PARTITIONS" in str(caught.value)
    assert "CARELINE_REPLICATION" in str(caught.value)


class TestSecrets:
    def test_from_a_file(self, tmp_path: Path) -> None:
        """A secret may stand in a file, as Docker and Kubernetes put it there; its line end does not belong to it."""
        file = tmp_path / "secret"
        file.write_text("redis://:hidden@127.0.0.1:6379/0\n", encoding="utf-8")
        settings = Settings.from_environment({"CARELINE_REDIS_URL_FILE": str(file)})
        assert settings.redis_url.get_secret_value() == "redis://:hidden@127.0.0.1:6379/0"

    def test_the_file_counts_before_the_variable(self, tmp_path: Path) -> None:
        """Where both are set the file is meant."""
        file = tmp_path / "secret"
        file.write_text("smtp://file:25", encoding="utf-8")
        environ = {"CARELINE_SMTP_URL_FILE": str(file), "CARELINE_SMTP_URL": "smtp://variable:25"}
        assert Settings.from_environment(environ).smtp_url.get_secret_value() == "smtp://file:25"

    def test_a_file_that_is_not_there(self) -> None:
        """A missing file names the variable that named it."""
        with pytest.raises(SettingsError, match=r"^CARELINE_KAFKA_SASL_PASSWORD_FILE: cannot read /nowhere"):
            Settings.from_environment({"CARELINE_KAFKA_SASL_PASSWORD_FILE": "/nowhere"})

    def test_a_setting_that_is_a_file_stays_one(self) -> None:
        """The certificate's path is a path, not a secret to be read."""
        settings = Settings.from_environment({"CARELINE_KAFKA_CA_FILE": "/etc/ca.pem"})
        assert settings.kafka_ca_file == Path("/etc/ca.pem")

    def test_are_not_shown(self) -> None:
        """Who prints the settings does not print the secrets."""
        settings = Settings.from_environment(
            {"CARELINE_KAFKA_SASL_PASSWORD": "hidden", "CARELINE_WEBHOOK_SECRET": "whsec_hidden"}
        )
        assert "hidden" not in repr(settings)
        assert "hidden" not in str(settings)


class TestKafkaClient:
    def test_sasl(self) -> None:
        """With SASL the clients get name, password and mechanism."""
        client = Settings.from_environment(
            {
                "CARELINE_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "CARELINE_KAFKA_SASL_USERNAME": "careline",
                "CARELINE_KAFKA_SASL_PASSWORD": "hidden",
            }
        ).kafka_client()
        assert client["sasl_plain_username"] == "careline"
        assert client["sasl_plain_password"] == "hidden"
        assert client["sasl_mechanism"] == "SCRAM-SHA-512"

    def test_sasl_without_a_password(self) -> None:
        """What is missing is named."""
        settings = Settings.from_environment({"CARELINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"})
        with pytest.raises(SettingsError, match="CARELINE_KAFKA_SASL_PASSWORD"):
            settings.kafka_client()

    def test_plain(self) -> None:
        """Without security there is nothing but the address."""
        client = Settings.from_environment({}).kafka_client()
        assert client == {"bootstrap_servers": ["127.0.0.1:9092"], "security_protocol": "PLAINTEXT"}


def test_settings_do_not_change() -> None:
    """Read once, frozen, passed down."""
    settings = Settings.from_environment({})
    with pytest.raises(ValidationError):
        settings.partitions = 5  # type: ignore[misc]
