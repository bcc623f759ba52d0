"""The packages and their imports as a picture, with the way of one touchpoint drawn through it.

``python -m tests.architecture_picture`` writes docs/architecture.svg from the imports of the sources. The picture holds
what it shows as data, and tests/test_architecture_picture.py says when the imports have left it behind.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, unescape

from tests.test_architecture import ROOT, imports, modules, within

PICTURE = ROOT / "docs" / "architecture.svg"

ROWS: tuple[tuple[str, ...], ...] = (
    ("processors.cli", "processors.demo", "processors.simulator", "processors.testing", "processors.status"),
    ("processors.outreach", "processors.roles", "processors.gateway", "processors.view", "processors.measure",
     "processors.replay"),
    ("processors.letters", "processors.policies", "processors.playbook"),
    ("processors.journey",),
    ("streams.publishing", "streams.processor", "streams.subscribing", "streams.http"),
    ("streams.avro", "streams.registry", "streams.broker"),
    ("streams.events", "schemas"),
)  # fmt: skip
"""The rooms, from those that start things down to what everybody knows. A new one is put at the end of its row."""

NEW = {"processors": 1, "streams": 4}
"""The row of a room that is not placed above."""

NOTES = {
    "processors.cli": "the command line",
    "processors.demo": "a storm day, live",
    "processors.simulator": "made-up passengers",
    "processors.testing": "the test kit",
    "processors.status": "how it is",
    "processors.outreach": "delivery, channels",
    "processors.roles": "the journeys role",
    "processors.gateway": "opt-outs, reports",
    "processors.view": "Redis, the queue",
    "processors.measure": "effects",
    "processors.replay": "decides again",
    "processors.letters": "templates, texts",
    "processors.policies": "one folder a policy",
    "processors.playbook": "read and checked",
    "processors.journey": "the pure core: evolve, ask the policies, guard",
    "streams.publishing": "Publisher, validation",
    "streams.processor": "one transaction a batch",
    "streams.subscribing": "Subscriber, dead letters",
    "streams.http": "serving, destinations",
    "streams.avro": "bytes and records",
    "streams.registry": "schemas by id",
    "streams.broker": "topics, fetching",
    "streams.events": "facts and requests as types",
    "schemas": "the contract",
}

CLASSES = (3, 6, 12, 24)
"""From the first of these numbers of imports on there is an arrow; it is one step thicker from each of the others."""

WAY = (
    "A service publishes a fact: it is checked and encoded,",
    "and stands on the topic touchpoints.",
    "The processor takes it, in one transaction per batch;",
    "the core evolves the customer's state and asks",
    "the policies what they want; the guard checks it.",
    "What may go out is a request on the topic outreach.",
    "Delivery writes the letter and calls a channel.",
    "What became of it is an outcome: a fact again.",
)

_EVERYBODY = "None goes to the two at the bottom, which everybody imports."

_WIDTH, _LEFT, _RIGHT = 960, 190, 940
_TOP, _STEP, _TALL, _GAP = 74, 92, 44, 12
_LANE, _LANE_WIDTH = 34, 116
_STROKES = (1.3, 2.6, 4.4, 7.0)

_STYLE = """
    .ground { fill: #fbfaf7; stroke: #d9d5cc; }
    .title { fill: #1d1f23; font-size: 19px; font-weight: 600; }
    .name { fill: #1d1f23; font-size: 14.5px; font-weight: 600; text-anchor: middle; }
    .note { fill: #55524b; font-size: 12px; text-anchor: middle; }
    .said { fill: #55524b; font-size: 13px; }
    .step { fill: #1d1f23; font-size: 13.5px; }
    .processors { fill: #e2f2dd; stroke: #3f8350; }
    .streams { fill: #dcebfa; stroke: #3973ac; }
    .schemas { fill: #f1e8d6; stroke: #9a7b3c; }
    .topic { fill: #dcebfa; stroke: #3973ac; }
    .outside { fill: #ffffff; stroke: #8a857a; stroke-dasharray: 5 4; }
    .import { fill: none; stroke: #8d887d; opacity: .5; }
    .importhead { fill: #8d887d; }
    .way { fill: none; stroke: #c2571a; stroke-width: 2.6; stroke-linejoin: round; }
    .wayhead { fill: #c2571a; }
    .number { fill: #c2571a; stroke: #fbfaf7; stroke-width: 1.5; }
    .digit { fill: #ffffff; font-size: 12.5px; font-weight: 700; text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #17191d; stroke: #3a3e46; }
      .title, .name, .step { fill: #f0f1f3; }
      .note, .said { fill: #b9bec7; }
      .processors { fill: #18351f; stroke: #6fbf82; }
      .streams, .topic { fill: #16304a; stroke: #6aa5df; }
      .schemas { fill: #3a3018; stroke: #c9a65c; }
      .outside { fill: #1f2227; stroke: #8f959f; }
      .import { stroke: #9aa0aa; }
      .importhead { fill: #9aa0aa; }
      .way { stroke: #f08a4b; }
      .wayhead { fill: #f08a4b; }
      .number { fill: #f08a4b; stroke: #17191d; }
      .digit { fill: #17191d; }
    }
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float = _TALL

    @property
    def middle(self) -> float:
        """Across."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def room_of(module: str) -> str | None:
    """The room that a module stands in; None for what stands in none, as the clock and the settings."""
    if within(module, "schemas"):
        return "schemas"
    parts = module.split(".")
    if parts[0] not in NEW or len(parts) < 2 or not (ROOT / parts[0] / parts[1]).is_dir():
        return None
    return ".".join(parts[:2])


def found() -> dict[tuple[str, str], int]:
    """How many imports of one room another has: the importing one first."""
    counts: Counter[tuple[str, str]] = Counter()
    for name in modules():
        for imported in set(imports(name)):
            pair = room_of(name), room_of(imported)
            if imported in modules() and None not in pair and pair[0] != pair[1]:
                counts[pair] += 1  # type: ignore[index]
    return dict(counts)


def shown(counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """What the picture says of them: the rooms, and the thickness of each arrow by ``importer > imported``."""
    arrows = {f"{one} > {other}": _thickness(count) for (one, other), count in sorted(_worth_it(counts).items())}
    return {"rooms": sorted({room for pair in counts for room in pair}), "arrows": arrows}


def said_by(picture: str) -> dict[str, Any]:
    """The same as a picture holds it."""
    match = re.search(r"<metadata>(.*?)</metadata>", picture, re.DOTALL)
    data: dict[str, Any] = json.loads(unescape(match[1])) if match else {}
    return data


def _worth_it(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """The arrows that are drawn: not those of a few imports, and not to what everybody imports."""
    return {pair: count for pair, count in counts.items() if count >= CLASSES[0] and pair[1] not in ROWS[-1]}


def drawn(counts: Mapping[tuple[str, str], int]) -> str:
    """The picture."""
    rows = _rows({room for pair in counts for room in pair})
    boxes = _boxes(rows)
    parts = [
        _text("title", 24, 36, "The packages, and the way of one touchpoint"),
        _text("said", 24, 57, f"An arrow: at least {CLASSES[0]} imports, thicker with more. {_EVERYBODY}"),
    ]
    parts += _arrows(boxes, counts)
    for room, box in boxes.items():
        kind, name = room.partition(".")[0], room.replace(".", "/")
        parts.append(
            f'<rect class="{kind}" x="{box.x:.5g}" y="{box.y}" width="{box.width:.5g}" height="{_TALL}" rx="7"/>'
        )
        parts += [
            _text("name", box.middle, box.y + 19, name if len(rows[_row(rows, room)]) < 5 else name.partition("/")[2]),
            _text("note", box.middle, box.y + 36, NOTES.get(room, "")),
        ]
    parts += _way(boxes)
    top = _TOP + len(rows) * _STEP - 4
    parts += _legend(top)
    height = top + 20 * ((len(WAY) + 1) // 2) + 26
    data = escape(json.dumps(shown(counts), indent=0, sort_keys=True))
    description = "; ".join(f"{at}. {step}" for at, step in enumerate(WAY, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-labelledby="title desc"\n'
        "     font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">\n"
        '  <title id="title">The packages of Careline, their imports, and the way of one touchpoint</title>\n'
        f'  <desc id="desc">{escape(description)}</desc>\n'
        f"  <metadata>{data}</metadata>\n"
        f"  <style>{_STYLE}  </style>\n"
        f"  <defs>{_head('importhead', 8)}{_head('wayhead', 4.4)}</defs>\n"
        f'  <rect class="ground" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="14"/>\n'
        + "".join(f"  {part}\n" for part in parts)
        + "</svg>\n"
    )


def _rows(rooms: set[str]) -> list[list[str]]:
    rows = [[room for room in row if room in rooms] for row in ROWS]
    for room in sorted(rooms - {room for row in ROWS for room in row}):
        rows[NEW[room.partition(".")[0]]].append(room)
    return rows


def _row(rows: Sequence[Sequence[str]], room: str) -> int:
    return next(at for at, row in enumerate(rows) if room in row)


def _boxes(rows: Sequence[Sequence[str]]) -> dict[str, Box]:
    boxes = {}
    for at, row in enumerate(rows):
        width = (_RIGHT - _LEFT - _GAP * (len(row) - 1)) / len(row)
        for place, room in enumerate(row):
            boxes[room] = Box(_LEFT + place * (width + _GAP), _TOP + at * _STEP, width)
    return boxes


def _arrows(boxes: Mapping[str, Box], counts: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """One arrow a pair, the thin ones first; where several meet at a room they stand in the order of where they go."""
    pairs = _worth_it(counts)
    ends: dict[tuple[str, bool], list[tuple[float, tuple[str, str]]]] = {}
    for pair in pairs:
        one, other = (boxes[room] for room in pair)
        ends.setdefault((pair[0], other.y > one.y), []).append((other.middle, pair))
        ends.setdefault((pair[1], one.y > other.y), []).append((one.middle, pair))
    at: dict[tuple[str, tuple[str, str]], float] = {}
    for (room, _), there in ends.items():
        box = boxes[room]
        for place, (_, pair) in enumerate(sorted(there), 1):
            at[room, pair] = box.x + box.width * place / (len(there) + 1)
    for pair, count in sorted(pairs.items(), key=lambda one: one[1]):
        one, other = (boxes[room] for room in pair)
        down = other.y > one.y
        begin = (at[pair[0], pair], one.bottom if down else one.y)
        end = (at[pair[1], pair], (other.y - 2) if down else (other.bottom + 2))
        yield _curve(begin, end, level=one.y == other.y, thick=_thickness(count))


def _curve(begin: tuple[float, float], end: tuple[float, float], *, level: bool, thick: int) -> str:
    (x, y), (to_x, to_y) = begin, end
    if level:  # neighbours of one row: below it and up again
        y, to_y, bend, to_bend = y + _TALL, to_y, y + _TALL + 26, to_y + 26
        y = begin[1] if begin[1] > end[1] - _TALL else y
    else:
        bend, to_bend = y + (to_y - y) * 0.5, to_y - (to_y - y) * 0.5
    return (
        f'<path class="import" stroke-width="{_STROKES[thick - 1]}" marker-end="url(#importhead)" '
        f'd="M{x:.1f} {y:.1f}C{x:.1f} {bend:.1f} {to_x:.1f} {to_bend:.1f} {to_x:.1f} {to_y:.1f}"/>'
    )


def _way(boxes: Mapping[str, Box]) -> Iterator[str]:
    """The lane of what is outside on the left, and the way through both."""
    publishing, processor = boxes["streams.publishing"], boxes["streams.processor"]
    core, policies = boxes["processors.journey"], boxes["processors.policies"]
    outreach = boxes["processors.outreach"]
    services = Box(_LANE, boxes["streams.avro"].y, _LANE_WIDTH)
    touchpoints = Box(_LANE, publishing.y, _LANE_WIDTH)
    requests = Box(_LANE, boxes["processors.letters"].y, _LANE_WIDTH)
    customer = Box(_LANE, outreach.y, _LANE_WIDTH)
    for kind, box, name, note in (
        ("outside", services, "your services", "any language"),
        ("topic", touchpoints, "touchpoints", "a topic"),
        ("topic", requests, "outreach", "a topic"),
        ("outside", customer, "the customer", "mail, SMS, push"),
    ):
        round_ = 22 if kind == "topic" else 7
        yield f'<rect class="{kind}" x="{box.x}" y="{box.y}" width="{box.width}" height="{_TALL}" rx="{round_}"/>'
        yield _text("name", box.middle, box.y + 19, name)
        yield _text("note", box.middle, box.y + 36, note)
    out, edge, half = _LANE + _LANE_WIDTH, _LANE - 14, _TALL / 2
    above, between = processor.y - 22, publishing.bottom + 26
    up, back = policies.middle - 24, policies.middle + 24
    ways = (
        (1, f"M{services.middle} {services.y}V{between}H{publishing.x + 40}V{publishing.bottom + 4}",
         (services.middle + 60, between)),
        (2, f"M{publishing.x} {publishing.y + half}H{out + 4}", (out + 21, publishing.y + half)),
        (3, f"M{touchpoints.middle} {touchpoints.y}V{above}H{processor.middle - 40}V{processor.y - 4}",
         (touchpoints.middle + 60, above)),
        (4, f"M{processor.middle + 10} {processor.y}V{core.bottom + 4}", (processor.middle + 10, above - 2)),
        (5, f"M{up} {core.y}V{policies.bottom + 4}", (up, policies.bottom + 24)),
        (5, f"M{back} {policies.bottom}V{core.y - 4}", None),
        (6, f"M{core.x} {core.y + half}H{requests.middle}V{requests.bottom + 4}",
         (requests.middle + 60, core.y + half)),
        (7, f"M{out} {requests.y + half}H{out + 20}V{outreach.y + 32}H{outreach.x - 4}", (out + 20, requests.y - 14)),
        (7, f"M{outreach.x} {outreach.y + 14}H{out + 4}", None),
        (8, f"M{_LANE} {customer.y + half}H{edge}V{touchpoints.y + half}H{_LANE - 4}", (edge, core.y + half)),
    )  # fmt: skip
    for _, path, _ in ways:
        yield f'<path class="way" marker-end="url(#wayhead)" d="{path}"/>'
    for number, _, place in ways:
        if place is not None:
            yield from _numbered(number, *place)


def _legend(top: float) -> Iterator[str]:
    half = (len(WAY) + 1) // 2
    for at, step in enumerate(WAY):
        x, y = (34, 500)[at // half], top + 20 * (at % half) + 8
        yield from _numbered(at + 1, x, y - 5)
        yield _text("step", x + 18, y, step)


def _numbered(number: int, x: float, y: float) -> Iterator[str]:
    yield f'<circle class="number" cx="{x:.5g}" cy="{y:.5g}" r="9"/>'
    yield _text("digit", x, y + 4.5, str(number))


def _thickness(count: int) -> int:
    return sum(count >= least for least in CLASSES)


def _head(name: str, size: float) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="{size}" markerHeight="{size}" '
        f'orient="auto" markerUnits="{"strokeWidth" if name == "wayhead" else "userSpaceOnUse"}">'
        f'<path class="{name}" d="M0 0 10 5 0 10z"/></marker>'
    )


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.5g}" y="{y:.5g}">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(found()), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(found())} pairs of rooms")
