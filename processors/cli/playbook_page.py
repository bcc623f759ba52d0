"""A playbook as a person reads it on a terminal: one section a policy, then what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from processors.journey.playbook import GestureOffer, Playbook, Rules
from processors.playbook.plain import Change, as_data
from processors.policies.pages import Block, Fields, Heading, Line, Rows, budget_rows
from processors.policies.plugin import Plugin
from processors.policies.registry import in_sections, installed, plugin_of
from processors.terminal import Grid, Screen
from streams.durations import spelled

_NONE = "none"


def show_playbook(playbook: Playbook, path: Path, console: Screen) -> None:
    """Print the whole playbook."""
    console.tell(("Playbook ", "bold"), (playbook.version, "bold cyan"), "  ", (str(path), "dim"))
    facts = f"Money is in {playbook.currency}. Unknown time zones count as {playbook.default_time_zone}, "
    console.tell(f"{facts}unknown languages for {playbook.default_locale}.", style="dim")
    data = as_data(playbook)
    for plugin in in_sections():
        rules = playbook.rules_of(plugin.rules)
        if rules is not None:
            for block in _page(plugin, rules, data[plugin.name], playbook.currency):
                _show(console, block)
    _for_all(console, playbook)
    _trials(console, playbook)
    _texts(console, playbook)
    if off := [plugin.heading for plugin in installed() if plugin.name not in data]:
        console.heading("Switched off")
        _line(console, ", ".join(off))


def show_changes(found: Sequence[Change], old: Playbook, new: Playbook, console: Screen) -> None:
    """Print what differs, a row a field."""
    grid = Grid(("field", old.version, new.version))
    for one in found:
        grid.add(one.path, (_value(one.old), "red"), (_value(one.new), "green"))
    console.grid(grid)


def _page(plugin: Plugin, rules: Rules, section: Any, currency: str) -> Iterable[Block]:
    if plugin.page is not None:
        return plugin.page(rules, section, currency)
    return Heading(plugin.heading), Fields(section)


def _show(console: Screen, block: Block) -> None:
    match block:
        case Heading(text):
            console.heading(text)
        case Line(text):
            _line(console, text)
        case Rows(titles, rows):
            _table(console, titles, rows)
        case Fields(section):
            _fields(console, section)


def _for_all(console: Screen, playbook: Playbook) -> None:
    console.heading("For all policies")
    quiet = playbook.quiet_hours
    hours = f"{quiet.begin:%H:%M} to {quiet.end:%H:%M} in the customer's own day" if quiet else _NONE
    by = f", for {', '.join(sorted(quiet.channels))}" if quiet else ""
    _line(console, f"Quiet hours: {hours}{by}.")
    _line(console, f"Channels, the first that can be used: {', '.join(playbook.channel_order)}.")
    _line(console, f"Priority: {', '.join(map(_title, playbook.priority)) or _NONE}.")
    caps = [
        (one.purpose.lower(), one.channel or "all together", str(one.most), spelled(one.window))
        for one in playbook.caps
    ]
    _table(console, ("frequency cap of", "on", "at most", "in any"), caps)
    _line(console, "Gestures of all policies to one customer:" if playbook.gesture_budgets else "No gesture budget.")
    _show(console, budget_rows(playbook.gesture_budgets, playbook.currency))


def _trials(console: Screen, playbook: Playbook) -> None:
    console.heading("Holdouts and experiments")
    rows = [(_title(name), f"{one.share:.2%}", one.seed) for name, one in playbook.holdouts.items()]
    _table(console, ("not written to by", "share of customers", "seed"), rows)
    for one in playbook.experiments:
        _line(console, f"{one.key}: {_title(one.policy)}, with {one.coverage:.2%} of customers; seed {one.seed}")
        arms = [(arm.name, f"{arm.share:.2%}", _differently(arm.gestures, arm.templates)) for arm in one.arms]
        _table(console, ("arm", "share", "differs in"), arms)
    if not playbook.holdouts and not playbook.experiments:
        _line(console, _NONE)


def _differently(gestures: Mapping[str, GestureOffer], templates: Mapping[str, str]) -> str:
    said = [f"{new.title['en']} ({new.cost} {new.currency}) for {usual}" for usual, new in gestures.items()]
    said += [f"letter {new} for {usual}" for usual, new in templates.items()]
    return "; ".join(said) or "nothing"


def _texts(console: Screen, playbook: Playbook) -> None:
    if playbook.texts:
        console.heading("Words of our own")
        rows = [
            (letter, locale, part, words)
            for letter, locales in playbook.texts.items()
            for locale, parts in locales.items()
            for part, words in parts.items()
        ]
        _table(console, ("letter", "language", "part", "words"), rows)


def _fields(console: Screen, section: Mapping[str, Any]) -> None:
    grid = Grid(("name", "value"), rigid=("name",), header=False, indent=2)
    for name, value in section.items():
        grid.add((name.replace("_", " "), "dim"), _value(value))
    console.grid(grid)


def _value(value: Any) -> str:
    match value:
        case None:
            return "-"
        case Mapping() if "code" in value:
            return f"{value['title']['en']} ({value['code']}, {value['cost']})"
        case Mapping():
            return ", ".join(f"{name} {_value(one)}" for name, one in value.items()) or _NONE
        case list():
            return ", ".join(map(_value, value)) or _NONE
        case _:
            return str(value)


def _title(policy: str) -> str:
    plugin = plugin_of(policy)
    return policy.capitalize() if plugin is None else plugin.heading


def _line(console: Screen, text: str) -> None:
    console.tell(text, indent=2)


def _table(console: Screen, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    grid = Grid(titles, indent=2)
    for row in rows:
        grid.add(*row)
    console.grid(grid)
