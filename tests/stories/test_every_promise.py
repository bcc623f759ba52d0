"""Every promise of the README has a story, and every story shows a promise that stands there."""

from __future__ import annotations

from tests.stories.promises import README, STORIES, Promise, promised, told

FILES = sorted(file for file in STORIES.glob("test_*.py") if file.name != "test_every_promise.py")


def test_every_promise_has_its_stories() -> None:
    """Promise by promise and sentence by sentence: a new one fails until somebody shows it."""
    promises = dict(promised(README.read_text(encoding="utf-8")))
    stories = dict(told(file) for file in FILES)
    assert len(stories) == len(FILES), "one file a promise"
    assert set(stories) == set(promises)
    assert {promise: set(shown) for promise, shown in stories.items()} == {
        promise: set(sentences) for promise, sentences in promises.items()
    }


def test_the_promises_are_found() -> None:
    """Several sentences of a bullet are several; links are read as their words, and references are no promises."""
    page = """
# A page

- **Not here.** This is no guarantee.

## Guarantees

- **First.** Said `once`,
  on two lines. `careline replay` is run ([why](docs/why.md)). [More about it](docs/more.md).
- **Second.** A [property](tests/x.py) holds.

Not guaranteed: this.

## Status

- **Nor here.** Nothing.
"""
    assert promised(page) == [
        Promise("First.", ("Said once, on two lines.", "careline replay is run.")),
        Promise("Second.", ("A property holds.",)),
    ]


def test_a_promise_without_a_story_is_noticed() -> None:
    """The check above fails with the README of tomorrow."""
    page = README.read_text(encoding="utf-8")
    more = page.replace("## Guarantees\n", "## Guarantees\n\n- **Letters are never late.** They are early.\n", 1)
    known = {told(file) for file in FILES}
    assert [one.promise for one in promised(more) if one.promise not in {each.promise for each in known}] == [
        "Letters are never late."
    ]
