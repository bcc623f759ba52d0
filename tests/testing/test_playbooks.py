"""A test's playbook is the packaged one or a file's, with sections of its own, and is checked as any playbook."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from processors.playbook import PACKAGED, PlaybookRefused, load_playbook
from processors.testing import NOON, delay, given, playbook, profile


def test_without_changes_it_is_the_packaged_one() -> None:
    """With the version that every decision under it names."""
    assert playbook() == load_playbook()


def test_a_section_is_laid_over_what_is_there() -> None:
    """What a test does not name stays as it is."""
    changed, usual = playbook(delay_care={"flight": {"threshold": "1h"}}), playbook()
    assert changed.delays["flight"].threshold == timedelta(hours=1)
    assert changed.delays["flight"].stages == usual.delays["flight"].stages
    assert changed.delays["default"] == usual.delays["default"]
    assert changed.version != usual.version


def test_a_section_that_is_taken_out_switches_its_policy_off() -> None:
    """None takes out what is there."""
    changed = playbook(recovery=None, quiet_hours=None, never_there=None)
    assert (changed.recovery, changed.quiet_hours) == (None, None)


def test_a_list_takes_the_place_of_the_list() -> None:
    """Two caps are not three."""
    [cap] = playbook(caps=[{"purpose": "SERVICE", "most": 1, "window": "24h"}]).caps
    assert cap.most == 1


def test_a_fault_is_named() -> None:
    """A test whose playbook could never be loaded fails with the field's name."""
    with pytest.raises(PlaybookRefused, match=r"delay_care\.flight\.threshold: 'soon' is not a duration"):
        playbook(delay_care={"flight": {"threshold": "soon"}})
    with pytest.raises(PlaybookRefused, match="delay_cares"):
        playbook(delay_cares={})


def test_a_file_may_be_the_ground(tmp_path: Path) -> None:
    """A company tests its own file, and variations of it."""
    file = tmp_path / "ours.yaml"
    file.write_text(PACKAGED.read_text().replace("threshold: 30m", "threshold: 50m"))
    assert playbook(file).delays["flight"].threshold == timedelta(minutes=50)
    assert playbook(file, quiet_hours=None).delays["flight"].threshold == timedelta(minutes=50)
    with pytest.raises(FileNotFoundError):
        playbook(tmp_path / "not-there.yaml")


def test_the_scenario_is_decided_by_it() -> None:
    """What a care lead changes is what the customer notices."""
    late = delay(NOON, minutes=45)
    given(profile(), playbook=playbook(delay_care={"flight": {"threshold": "1h"}})).when(late).then(
        "suppress notice: below_threshold"
    )


def test_words_of_the_playbook_are_in_the_letter() -> None:
    """A text that a care lead changes is the one that the customer reads."""
    ours = playbook(texts={"delay_care/notice": {"en": {"subject": "A word about {{ description }}"}}})
    ana = given(profile(), playbook=ours).when(delay(minutes=45))
    assert ana.letter.subject == "A word about flight UA571"
