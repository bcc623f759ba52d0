"""A test of monitoring without its program says what is missing, and is never passed over where it matters."""

from __future__ import annotations

import shutil

import pytest

from tests import monitoring


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any of the programs."""
    monkeypatch.setenv("PATH", "")
    assert shutil.which("sh") is None


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("name", monitoring.PROGRAMS)
def test_a_missing_program_is_named_with_its_package(name: str) -> None:
    """Whoever runs the tests reads what was left out, and what to install."""
    with pytest.raises(pytest.skip.Exception) as skipped:
        monitoring.program(name, env={})
    said = str(skipped.value)
    assert said.startswith(f"{name} is not on the PATH")
    assert f"apt-get install {monitoring.PROGRAMS[name].package}`" in said
    assert monitoring.left_out([f"Skipped: {said}", "Skipped: another reason", said]) == (said,)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("env", [{"CI": "true"}, {"CI": "1"}, {"CARELINE_REQUIRE_MONITORING": "1"}])
def test_in_ci_a_missing_program_is_a_failure(env: dict[str, str]) -> None:
    """Nothing is left out there unseen."""
    with pytest.raises(pytest.fail.Exception, match="promtool is not on the PATH"):
        monitoring.program("promtool", env=env)


@pytest.mark.parametrize("env", [{}, {"CI": "false"}, {"CARELINE_REQUIRE_MONITORING": "0"}])
def test_elsewhere_it_is_not(env: dict[str, str]) -> None:
    """A laptop without Prometheus runs the other tests."""
    assert not monitoring.required(env)


def test_a_program_is_found_under_debians_name_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Debian calls Alertmanager prometheus-alertmanager, its makers alertmanager."""
    for called in ("prometheus-alertmanager", "alertmanager"):
        folder = tmp_path_factory.mktemp("bin")
        (folder / called).touch(mode=0o755)
        monkeypatch.setenv("PATH", str(folder))
        assert monitoring.found("alertmanager") == str(folder / called)
