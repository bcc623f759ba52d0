"""A policy of somebody else's: installed beside Careline it is in the playbook, on the command line and in the letters,
and nothing of Careline names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from processors.policies.registry import installed

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "renewal_reminder"
PACKAGE = "renewal_reminder"

Installed = dict[str, str]
"""The environment of a process that has the package installed."""


def run(environ: Installed, where: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command there; ``python`` is the environment's own."""
    program = environ.get("PROGRAM", sys.executable)
    said = subprocess.run(
        [program, *argv], cwd=where, env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert "Traceback" not in said.stderr, said.stderr
    return said


def careline(environ: Installed, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(environ, where, "-m", "processors.cli", *words)


def clean() -> Installed:
    """Our environment without settings, and with lines wide enough."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARELINE_")}
    return kept | {"COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The example beside these sources, known by its metadata alone."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE / PACKAGE, folder / PACKAGE)
    metadata = folder / f"{PACKAGE}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: renewal-reminder\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[careline.policies]\n{PACKAGE} = {PACKAGE}:POLICY\n")
    return clean() | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of Careline and of the example."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, EXAMPLE):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(build, cwd=project, check=True, capture_output=True, env=clean())
    return folder


@pytest.fixture(scope="module")
def alone(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Both wheels in an environment that was empty; what they depend on is where it is for us."""
    home = tmp_path_factory.mktemp("empty") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    program = home / "bin" / "python"
    found = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    assert len(found) == 2
    pip = [sys.executable, "-m", "pip", "--python", str(program), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", *found], check=True, env=clean())
    [site] = (home / "lib").glob("python*/site-packages")
    ours = Path(pytest.__file__).parent.parent
    (site / "what_they_depend_on.pth").write_text(f"{ours}\n")
    return {name: value for name, value in clean().items() if name != "PYTHONPATH"} | {"PROGRAM": str(program)}


@pytest.fixture(params=["beside", "alone"])
def environ(request: pytest.FixtureRequest) -> Installed:
    """Beside these sources, and as two wheels."""
    found: Installed = request.getfixturevalue(request.param)
    return found


@pytest.mark.timeout(600)
def test_its_own_tests_pass(environ: Installed, tmp_path: Path) -> None:
    """What the package promises holds where it is installed."""
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    said = run(environ, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert said.returncode == 0, said.stdout
    assert " passed" in said.stdout


@pytest.mark.timeout(600)
def test_the_playbook_knows_its_section(environ: Installed, tmp_path: Path) -> None:
    """It is in the default playbook, is checked by its own rules, and goes last unless the playbook says otherwise."""
    default = careline(environ, tmp_path, "playbook", "default").stdout
    file = tmp_path / "playbook.yaml"
    file.write_text(default, encoding="utf-8")
    assert careline(environ, tmp_path, "playbook", "check", str(file)).returncode == 0
    assert "\nrenewal_reminder:\n  kinds: [subscription]" in default
    assert default.partition("\npriority: ")[2].split("]")[0].endswith("renewal_reminder")
    file.write_text(default.replace("before: 14d", "before: 14 days"), encoding="utf-8")
    said = careline(environ, tmp_path, "playbook", "check", str(file))
    assert said.returncode == 1
    assert "renewal_reminder.before: '14 days' is not a duration; write 30m, 2h or 1d" in said.stdout
    shown = careline(environ, tmp_path, "playbook", "show").stdout
    assert "Renewal reminder" in shown


@pytest.mark.timeout(600)
def test_its_letter_is_previewed(environ: Installed, tmp_path: Path) -> None:
    """In the languages it is written in; in any other it is in the default one."""
    for locale, said in (("en", "Hello Ana Ruiz,"), ("de", "Guten Tag Ana Ruiz,"), ("fr", "Hello Ana Ruiz,")):
        shown = careline(environ, tmp_path, "outreach", "preview", "renewal_reminder/reminder", "--locale", locale)
        assert shown.returncode == 0, shown.stderr
        assert said in shown.stdout


@pytest.mark.timeout(600)
def test_an_unknown_section_is_refused_with_the_policies_that_are_installed(environ: Installed, tmp_path: Path) -> None:
    """Whoever forgot to install a package sees what is there."""
    file = tmp_path / "playbook.yaml"
    default = careline(environ, tmp_path, "playbook", "default").stdout
    file.write_text(f"{default}birthday_wishes:\n  before: 1d\n", encoding="utf-8")
    said = careline(environ, tmp_path, "playbook", "check", str(file))
    assert said.returncode == 1
    [fault] = said.stdout.splitlines()
    assert "birthday_wishes: is not known here" in fault
    assert "The policies that are installed: delay_care, " in fault
    assert fault.endswith(", renewal_reminder")


def test_without_the_package_its_section_is_unknown(beside: Installed, tmp_path: Path) -> None:
    """A playbook for a policy that is not installed is refused as a whole: nothing is left undone in silence."""
    file = tmp_path / "playbook.yaml"
    file.write_text(careline(beside, tmp_path, "playbook", "default").stdout, encoding="utf-8")
    said = careline(clean() | {"PYTHONPATH": str(ROOT)}, tmp_path, "playbook", "check", str(file))
    assert said.returncode == 1
    assert "renewal_reminder: is not known here" in said.stdout
    assert "The policies that are installed: delay_care, " in said.stdout


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("renewal_reminder:NOTHING", "cannot be loaded: AttributeError"),
        ("nowhere:POLICY", "cannot be loaded: ModuleNotFoundError"),
        ("renewal_reminder.rules:RenewalRules", "is not a policy"),
        ("processors.policies.delay_care:POLICY", "two policies are called delay_care"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(beside: Installed, tmp_path: Path, point: str, told: str) -> None:
    """Careline does not go on without it: with a policy missing, decisions would be others. Code 2."""
    metadata = tmp_path / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[careline.policies]\nbroken = {point}\n")
    environ = beside | {"PYTHONPATH": os.pathsep.join([str(tmp_path), beside["PYTHONPATH"]])}
    said = careline(environ, tmp_path, "playbook", "check")
    assert said.returncode == 2
    assert told in said.stderr
    assert "broken" in said.stderr


def test_the_wheel_has_every_policy_and_none_of_their_tests(wheels: Path) -> None:
    """Letters, examples and defaults are in it."""
    [wheel] = wheels.glob("careline-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for plugin in installed():
        for part in ("decisions.py", "defaults.yaml", "letters/examples.yaml"):
            assert f"processors/policies/{plugin.name}/{part}" in names
    assert [name for name in names if name.startswith("processors/policies/") and "/tests/" in name] == []
