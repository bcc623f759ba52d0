"""Makes `streams/zones.json` of the locked libraries: `python -m tests.zone_data`, after either of them changed.

Zones and their links are those of the tz database (package tzdata), Windows names those of CLDR (package Babel).
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import tzdata
from babel.core import get_global

import streams

FILE = Path(streams.__file__).with_name("zones.json")


def made() -> dict[str, Any]:
    """What the file has to hold.

    A name that a country has for itself stays, also where the database keeps its times under another country's:
    Amsterdam is not told the time of Brussels. Every other link becomes what it leads to.
    """
    database = files("tzdata.zoneinfo")
    lines = [line.split() for line in database.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()]
    links = {line[2]: line[1] for line in lines if line[:1] == ["L"]}
    table = database.joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    places = {line.split("\t")[2] for line in table if not line.startswith("#")}
    zones = places | {line[1] for line in lines if line[:1] == ["Z"]} | {"UTC"}
    zones -= {"Factory"}

    # CLDR keeps a name in its country where the database has merged it: Iceland is Reykjavik, and not Abidjan
    links |= {name: zone for name, zone in get_global("zone_aliases").items() if name in links and zone in zones}

    def end(name: str) -> str:
        return name if name in zones else end(links[name])

    return {
        "tzdata": tzdata.IANA_VERSION,
        "zones": sorted(zones),
        "links": {name: end(name) for name in sorted(links.keys() - zones)},
        "windows": {
            name: end(zone)
            for name, zone in sorted(get_global("windows_zone_mapping").items())
            if zone in zones or zone in links
        },
    }


def text() -> str:
    """The file's text."""
    return json.dumps(made(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
