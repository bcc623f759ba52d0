"""Settings stand with what they set, and are composed into one."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from processors.settings import Settings
from streams import Settings as OfApplications
from streams.config import Settings as WireSettings
from streams.errors import SettingsError

PARTS = Settings.__bases__


def test_every_setting_has_one_home() -> None:
    """Whoever looks for a setting finds it in the `settings.py` of the part that it sets, and nowhere else."""
    homes = [(name, part) for part in PARTS for name in part.model_fields]
    assert len(homes) == len({name for name, _ in homes})
    assert {name for name, _ in homes} == set(Settings.model_fields)
    assert WireSettings in PARTS
    assert {part.__module__.rpartition(".")[2] for part in PARTS if part is not WireSettings} == {"settings"}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_part_stands_by_itself(part: type[BaseModel]) -> None:
    """Every setting has a default, the same alone and in the whole."""
    whole = Settings()
    assert part().model_dump() == {name: getattr(whole, name) for name in part.model_fields}


def test_an_application_reads_what_the_wire_needs_and_no_more() -> None:
    """A service that publishes needs no secret of ours, and a mistake in a role's settings does not stop it."""
    assert OfApplications is WireSettings
    environ = {"CARELINE_TOPIC_PREFIX": "test.", "CARELINE_EMAIL_RATE": "many", "CARELINE_LINK_SECRET_FILE": "/nowhere"}
    assert WireSettings.from_environment(environ).topic_prefix == "test."
    with pytest.raises(SettingsError, match=r"^CARELINE_LINK_SECRET_FILE: cannot read"):
        Settings.from_environment(environ)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CARELINE_PARTITIONS", "0"), ("CARELINE_OPS_PORT", "70000"), ("CARELINE_PLAYBOOK_RELOAD", "0"),
        ("CARELINE_EMAIL_RATE", "many"), ("CARELINE_BREAKER_PAUSE", "soon"), ("CARELINE_GATEWAY_PORT", "-1"),
        ("CARELINE_VIEW_DAYS", "0"), ("CARELINE_WRITERS", "{}{}"), ("CARELINE_WEBHOOK_ALLOW", "a b/c"),
    ],
)  # fmt: skip
def test_a_mistake_in_any_part_names_its_variable(variable: str, value: str) -> None:
    """Whichever role it is for, every command refuses it."""
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        Settings.from_environment({variable: value})


def test_the_whole_does_not_change() -> None:
    """Read once, frozen, passed down: the settings of roles as well as those of the wire; and no name is made up."""
    settings = Settings()
    for name in ("topic_prefix", "mail_from", "gateway_port"):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(settings, name, getattr(settings, name))
    with pytest.raises(ValidationError, match="Extra inputs"):
        Settings(mail_form="x")  # type: ignore[call-arg]
