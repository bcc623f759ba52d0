"""A policy is one folder: without it the rest stands, and nothing else has to be edited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOT_SOURCES = shutil.ignore_patterns(
    ".git", ".venv", ".careline", ".*_cache", ".hypothesis", "__pycache__", "dist", "*.egg-info"
)
QUICK = (
    "tests/playbook/test_sections.py",
    "tests/playbook/test_plain.py",
    "tests/playbook/test_loading.py",
    "tests/cli/test_playbook_commands.py",
    "tests/journey/test_core.py",
    "tests/journey/test_too_late.py",
    "tests/letters/test_letters.py::test_there_is_a_letter_for_everything_a_policy_asks_for_and_no_other",
    "tests/letters/test_letters.py::test_policies_give_their_letters_all_they_need",
    "tests/demo/test_policy_table.py",
    "tests/test_docs.py",
    "tests/test_architecture.py",
)
"""What would see a trace soonest: the playbook, the core, the letters, the documents and the structure."""


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("policy", ["caring_hands", "mention_reply"])
def test_removing_one_policys_folder_leaves_no_trace_to_edit_elsewhere(policy: str, tmp_path: Path) -> None:
    """In a copy without the folder no source names the policy, the table in the documents is written anew, and ruff
    and the quick tests pass as they are."""
    copy = tmp_path / "careline"
    shutil.copytree(ROOT, copy, ignore=NOT_SOURCES)
    shutil.rmtree(copy / "processors" / "policies" / policy)
    sources = [file for kind in ("*.py", "*.yaml", "*.jinja") for file in (copy / "processors").rglob(kind)]
    assert len(sources) > 300
    assert [str(file) for file in sources if policy in file.read_text(encoding="utf-8")] == []
    checked(copy, "-m", "processors.policies.table", "docs/care.md")
    assert f"`{policy}`" not in (copy / "docs" / "care.md").read_text(encoding="utf-8")
    checked(copy, "-m", "ruff", "check", "--no-cache", ".")
    checked(copy, "-m", "ruff", "format", "--no-cache", "--check", ".")
    said = checked(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not live", *QUICK)
    assert " passed" in said


def checked(copy: Path, *argv: str) -> str:
    """What the check prints, which has to pass."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CARELINE_")}
    environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *argv], cwd=copy, env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-4_000:]}\n{done.stderr[-2_000:]}"
    return done.stdout
