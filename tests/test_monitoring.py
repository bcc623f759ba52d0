"""A test of monitoring without its program says what is missing, and is never passed over where it matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import monitoring


@pytest.mark.parametrize("name", monitoring.PROGRAMS)
def test_a_missing_program_is_named_with_its_package(name: str) -> None:
    """Whoever runs the tests reads what was left out, and what to install."""
    with pytest.raises(pytest.skip.Exception) as skipped:
        monitoring.program(name, env={"PATH": ""})
    said = str(skipped.value)
    assert said.startswith(f"{name} is not on the PATH")
    assert f"`apt-get install {monitoring.PROGRAMS[name].package}`" in said
    assert monitoring.left_out([f"Skipped: {said}", "Skipped: another reason", said]) == (said,)


@pytest.mark.parametrize("env", [{"CI": "true"}, {"CI": "1"}, {"CARELINE_REQUIRE_MONITORING": "1"}])
def test_in_ci_a_missing_program_is_a_failure(env: dict[str, str]) -> None:
    """Nothing is left out there unseen."""
    with pytest.raises(pytest.fail.Exception, match="promtool is not on the PATH"):
        monitoring.program("promtool", env={"PATH": "", **env})


@pytest.mark.parametrize("env", [{}, {"CI": "false"}, {"CARELINE_REQUIRE_MONITORING": "0"}])
def test_elsewhere_it_is_not(env: dict[str, str]) -> None:
    """A laptop without Prometheus runs the other tests."""
    assert not monitoring.required(env)


@pytest.mark.parametrize(("version", "found"), [("2.42.0", True), ("3.5.0", True), ("2.41.0", False)])
def test_a_tool_that_is_too_old_is_a_missing_one(version: str, found: bool, tmp_path: Path) -> None:
    """It would not understand the rules."""
    tool = tmp_path / "promtool"
    tool.write_text(f"#!/bin/sh\necho 'promtool, version {version}'\n")
    tool.chmod(0o755)
    if found:
        assert monitoring.program("promtool", env={"PATH": str(tmp_path)}) == str(tool)
    else:
        with pytest.raises(pytest.skip.Exception, match="too old"):
            monitoring.program("promtool", env={"PATH": str(tmp_path)})
