"""The promises of the README, and the stories that show them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

STORIES = Path(__file__).parent
README = STORIES.parent.parent / "README.md"

_SECTION = re.compile(r"^## Guarantees\n(?P<section>.*?)^## ", re.MULTILINE | re.DOTALL)
_BULLET = re.compile(r"^- \*\*(?P<promise>.*?)\*\*(?P<rest>.*?)(?=^- |^\n|\Z)", re.MULTILINE | re.DOTALL)
_REFERENCE = re.compile(r"\(\[[^\]]*\]\([^)]*\)\)")
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\([^)]*\)")
_END = re.compile(r"(?<=\.)\s+(?=[A-Z`\[])")


class Promise(NamedTuple):
    """A promise in a few words, and the sentences that say what it means."""

    promise: str
    sentences: tuple[str, ...]


def promised(page: str) -> list[Promise]:
    """Every promise of the page's guarantees. Sentences that are a link to more and nothing else promise nothing."""
    found = _SECTION.search(page)
    assert found is not None, "the page has no guarantees"
    return [
        Promise(_plain(one["promise"]), tuple(_sentences(one["rest"]))) for one in _BULLET.finditer(found["section"])
    ]


def _sentences(text: str) -> list[str]:
    whole = " ".join(_REFERENCE.sub("", text).split()).replace(" .", ".")
    sentences = [part.strip() for part in _END.split(whole) if part.strip()]
    return [_plain(one) for one in sentences if not _LINK.fullmatch(one.rstrip("."))]


def _plain(text: str) -> str:
    return _LINK.sub(lambda link: link["text"], text).replace("`", "").strip()


def told(file: Path) -> Promise:
    """What a file of stories shows: its docstring, and those of its tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sentences = (_of(node) for node in sorted(tests, key=lambda node: node.lineno) if node.name.startswith("test_"))
    return Promise(_of(tree), tuple(sentences))


def _of(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split()).replace("`", "")
