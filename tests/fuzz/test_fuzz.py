"""The fuzzing drive itself: it fires the same records for the same seed, and finds what is planted in a role."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest

from streams.topics import Topics
from tests.fuzz import findings, shots
from tests.fuzz.drive import drive
from tests.fuzz.values import CUSTOMERS
from tests.fuzz.variations import VARIATIONS, Variation, candidates, expand, without_logical_types

NOW = 1_360_335_600_000


@pytest.fixture(scope="module")
def variations() -> list[Variation]:
    """Every schema that could be registered, with ids from one."""
    schemas = [(record, name, schema) for record in Topics().touchpoints.records for name, schema in candidates(record)]
    return [
        Variation(record, name, number, expand(schema), expand(without_logical_types(schema)))
        for number, (record, name, schema) in enumerate(schemas, start=1)
    ]


def test_the_same_seed_fires_the_same_records(variations: list[Variation]) -> None:
    """What was found can be fired again by its seed; another seed or batch fires something else."""
    first = shots.batch(1, 0, count=60, variations=variations, now=NOW)
    assert first == shots.batch(1, 0, count=60, variations=variations, now=NOW)
    assert first != shots.batch(1, 1, count=60, variations=variations, now=NOW)
    assert first != shots.batch(2, 0, count=60, variations=variations, now=NOW)
    assert shots.giant(1, 3, variations=variations, now=NOW) == shots.giant(1, 3, variations=variations, now=NOW)


def test_every_type_can_be_fired(variations: list[Variation]) -> None:
    """Nothing is left out: a record of each type of touchpoint can be written, and each schema is tried somewhere."""
    ours = [one for one in variations if one.name == "as it is"]
    assert {one.record for one in ours} == set(Topics().touchpoints.records)
    for one in ours:
        fired = shots.batch(1, 0, count=5, variations=[one], now=NOW)
        assert one.record.rpartition(".")[2] in {shot.record for shot in fired}
    assert {one.name for one in variations} >= set(VARIATIONS)


def test_what_is_fired_looks_like_a_record_of_ours(variations: list[Variation]) -> None:
    """Touchpoints have the framing and a known schema's number, unless it is cut off; no customer is ordinary."""
    known = {one.schema_id for one in variations}
    for shot in shots.batch(3, 0, count=60, variations=variations, now=NOW):
        if shot.record and shot.kind != "cut off":
            assert shot.value is not None
            magic, schema_id = struct.unpack_from(">bI", shot.value)
            assert (magic, schema_id in known) == (0, True)
    assert not any(customer.startswith("ordinary") for customer in CUSTOMERS)
    assert len(set(CUSTOMERS)) == len(CUSTOMERS)


def test_a_summary_is_kept_whole(tmp_path: Path) -> None:
    """All that was counted and found is in the file, whatever it was."""
    summary = findings.Summary(seed=1, minutes=2)
    summary.by_type.update(["AgentNoted", "AgentNoted", "none"])
    summary.dead_letters["undecodable"] += 3
    summary.findings.append(findings.Finding("ended", "half \ud83d", batch=1, shot=2))
    said = json.loads(summary.write(tmp_path).read_text())
    assert (said["by_type"], said["dead_letters"]) == ({"AgentNoted": 2, "none": 1}, {"undecodable": 3})
    assert said["findings"][0]["shot"] == 2
    assert not summary.good


@pytest.mark.live
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("fault", "kind"), [("exits", "ended"), ("hangs", "held")])
async def test_a_planted_fault_is_found(
    stack_env: dict[str, str], fault: str, kind: str, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A role that one record ends, or stops, is found in seconds, with the record that did it."""
    monkeypatch.chdir(tmp_path_factory.mktemp("fuzz"))
    summary = await drive(
        stack_env, seed=1, minutes=2, rate=30, patience=4, only=("AgentNoted",), stop_at_first=True,
        commands={"journeys": (sys.executable, "-m", "tests.fuzz.planted", fault)},
    )  # fmt: skip
    found = [one for one in summary.findings if one.kind == kind]
    assert found, summary
    assert not summary.good
    assert any(one.record for one in found)
    assert findings.HOME.exists()
