"""A playbook file with every section, and changes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from processors.playbook import PlaybookRefused, playbook_from
from processors.policies.registry import in_sections
from tests.journey.care import brought_by

GOOD: dict[str, Any] = {
    "delay_care": {
        "default": {
            "threshold": "30m",
            "revise_after": "20m",
            "gestures": [
                {"wait": "30m", "code": "book", "title": {"en": "a book", "de": "ein Buch"}, "cost": "4.00"},
                {
                    "wait": "2h",
                    "code": "movie",
                    "title": {"en": "a movie"},
                    "cost": "6.50",
                    "link": "https://x.example",
                },
            ],
            "cancelled": {"code": "hotel", "title": {"en": "a hotel"}, "cost": "95.00"},
        }
    },
    "quiet_hours": {"begin": "22:00", "end": "07:00"},
    "caps": [{"purpose": "SERVICE", "most": 8, "window": "24h"}],
    "channel_order": ["EMAIL"],
    "default_time_zone": "UTC",
    "default_locale": "en",
    "currency": "USD",
}
"""The required entries, quiet hours and a cap."""

SECTIONS: dict[str, Any] = {
    plugin.name: section for plugin in in_sections() if (section := brought_by(plugin, "SECTION"))
}
"""The sections that the tests of each policy define."""

WHOLE: dict[str, Any] = (
    GOOD
    | SECTIONS
    | {
        "gesture_budgets": [{"most": "120.00", "window": "1d"}],
        "caps": [
            {"purpose": "SERVICE", "most": 8, "window": "24h"},
            {"purpose": "SERVICE", "channel": "SMS", "most": 3, "window": "24h"},
        ],
        "holdouts": {
            "global": {"share": 0.02, "seed": "everything"},
            "out_of_stock_save": {"share": 0.1, "seed": "stock"},
        },
        "experiments": [
            {
                "key": "coupon-kind",
                "policy": "out_of_stock_save",
                "seed": "coupon-kind",
                "coverage": 0.8,
                "arms": [
                    {"name": "usual", "share": 0.5},
                    {
                        "name": "shipping",
                        "share": 0.5,
                        "gestures": {"coupon": {"code": "shipping", "title": {"en": "free shipping"}, "cost": "4.50"}},
                        "templates": {"out_of_stock_save/save": "out_of_stock_save/save_short"},
                    },
                ],
            }
        ],
        "texts": {
            "delay_care/notice": {"de": {"subject": "Ihr Flug kommt später"}},
            "out_of_stock_save/save_short": {"en": {"subject": "Elsewhere", "body": "It is to be had elsewhere."}},
        },
        "priority": ["recovery", "delay_care"],
        "team_time_zones": {"care-leads": "Europe/Vienna"},
    }
)
"""Everything that a playbook may contain."""


def written(folder: Path, content: Any) -> Path:
    """Write a playbook file and return its path."""
    file = folder / "playbook.yaml"
    file.write_text(content if isinstance(content, str) else dumped(content), encoding="utf-8")
    return file


def dumped(content: Any) -> str:
    """Return the content as YAML, one entry per line, in the given order and without aliases."""
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def changed(path: str, value: Any, *, of: dict[str, Any] = GOOD) -> dict[str, Any]:
    """Return the playbook with one entry changed; None removes it. ``path`` has its parts separated by spaces."""
    content: dict[str, Any] = yaml.safe_load(dumped(of))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(" ")]
    place: Any = content
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return content


def is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """Check that the whole playbook with this one mistake is rejected with one message: the field, by its line, and
    what would be right. ``path`` is that of :func:`changed`."""
    text = dumped(changed(path, value, of=WHOLE))
    with pytest.raises(PlaybookRefused) as caught:
        playbook_from(text.encode(), where="playbook.yaml")
    [fault] = caught.value.faults
    assert fault.field == field
    assert problem in fault.problem
    assert f"playbook.yaml:{fault.line}: {field}: " in str(caught.value)
    line = text.splitlines()[fault.line - 1]
    name = field.split(".")[-1]
    assert name in line or name.isdigit() or "missing" in problem, (line, fault)
