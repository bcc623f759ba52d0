"""A test's playbook is the packaged one or a file's, with changed sections, and is validated like any playbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.playbook import PACKAGED, PlaybookRefused, load_playbook
from processors.playbook.loading import read_content
from processors.testing import NOON, delay, feedback, given, playbook, profile, told
from streams.events import FeedbackKind

BOOK, BELOW = "send notice with free-book", "suppress notice: below_threshold"


def test_without_changes_it_is_the_packaged_one() -> None:
    """Without changes it is the packaged playbook, with its version."""
    assert playbook() == load_playbook()


def test_a_section_is_laid_over_what_is_there() -> None:
    """A section changes only the entries that it names."""
    an_hour = playbook(delay_care={"flight": {"threshold": "1h"}})
    given(profile(), playbook=an_hour).when(delay(NOON, minutes=45)).then(BELOW)
    given(profile(), playbook=an_hour).when(delay(NOON, minutes=60)).then(BOOK)
    assert an_hour.version != playbook().version


def test_a_section_that_is_taken_out_switches_its_policy_off() -> None:
    """None removes a section; for one that does not exist it does nothing."""
    complaint = feedback(FeedbackKind.COMPLAINT, NOON, text="Four hours!")
    assert told(given(profile()).when(complaint).outputs)
    given(profile(), playbook=playbook(recovery=None, never_there=None)).when(complaint).then_nothing()


def test_a_list_takes_the_place_of_the_list() -> None:
    """A list replaces the existing list."""
    [cap] = playbook(caps=[{"purpose": "SERVICE", "most": 1, "window": "24h"}]).caps
    assert cap.most == 1


def test_a_fault_is_named() -> None:
    """An invalid section fails the test with the field's name."""
    with pytest.raises(PlaybookRefused, match=r"delay_care\.flight\.threshold: 'soon' is not a duration"):
        playbook(delay_care={"flight": {"threshold": "soon"}})
    with pytest.raises(PlaybookRefused, match="delay_cares"):
        playbook(delay_cares={})


def test_a_file_may_be_the_ground(tmp_path: Path) -> None:
    """A company's own file can be tested, and changes to it."""
    file = tmp_path / "ours.yaml"
    file.write_text(read_content(PACKAGED).decode().replace("threshold: 30m", "threshold: 50m"))
    given(profile(), playbook=playbook(file)).when(delay(NOON, minutes=45)).then(BELOW)
    given(profile(), playbook=playbook(file, quiet_hours=None)).when(delay(NOON, minutes=45)).then(BELOW)
    with pytest.raises(FileNotFoundError):
        playbook(tmp_path / "not-there.yaml")


def test_words_of_the_playbook_are_in_the_letter() -> None:
    """A text in the playbook is in the letter."""
    ours = playbook(texts={"delay_care/notice": {"en": {"subject": "A word about {{ description }}"}}})
    ana = given(profile(), playbook=ours).when(delay(minutes=45))
    assert ana.letter.subject == "A word about flight UA571"
