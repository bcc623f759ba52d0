"""The secrets of links and coupons: made where the containers first start, never ones that anybody can read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from deploy.local.secret_file import main
from processors.letters.links import Links
from processors.settings import Settings
from streams.errors import SettingsError

ROOT = Path(__file__).parents[2]
ROLES = ("journeys", "outreach", "view", "measure", "gateway")
VARIABLE = "CARELINE_LINK_SECRET"
WHERE, COUPONS = "/var/lib/careline/secrets/links", "/var/lib/careline/secrets/coupons"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def test_the_containers_share_no_secret_with_other_installations(services: dict[str, Any]) -> None:
    """No secret has a default in the compose file; roles read the one that the set-up made, and cannot change it."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert [line for line in text.splitlines() if re.search(r"(SECRET|PASSWORD)\w*: *\$\{\w+:-[^}]", line)] == []
    for name in ROLES:
        assert services[name]["environment"]["CARELINE_LINK_SECRET_FILE"] == WHERE
        assert services[name]["environment"]["CARELINE_LINK_SECRET_BEFORE_FILE"] == WHERE + "-before"
        assert "CARELINE_LINK_SECRET" not in services[name]["environment"]
        assert "secrets:/var/lib/careline/secrets:ro" in services[name]["volumes"]
    assert "secrets:/var/lib/careline/secrets" in services["setup"]["volumes"]
    assert services["outreach"]["environment"]["CARELINE_COUPON_SECRET_FILE"] == COUPONS
    assert services["setup"]["command"][0].startswith(
        f"python -m deploy.local.secret_file {WHERE} CARELINE_LINK_SECRET && "
        f"python -m deploy.local.secret_file {COUPONS} CARELINE_COUPON_SECRET && "
    )


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """At the first start; at the next the links in letters already sent still work. Nobody else can read it."""
    where = tmp_path / "secrets" / "links"
    assert main([str(where), VARIABLE], {}) == 0
    made = where.read_text()
    assert len(made) >= 43
    assert stat.S_IMODE(where.stat().st_mode) == 0o600
    assert stat.S_IMODE(where.parent.stat().st_mode) == 0o700
    assert main([str(where), VARIABLE], {"CARELINE_LINK_SECRET": ""}) == 0
    assert where.read_text() == made
    assert main([str(tmp_path / "other"), VARIABLE], {}) == 0
    assert (tmp_path / "other").read_text() != made


def test_a_secret_of_the_operators_own_is_taken(tmp_path: Path) -> None:
    """Also after one was made, whose links are read on: it is kept beside, until the next is exchanged."""
    where, before = tmp_path / "links", tmp_path / "links-before"
    main([str(where), VARIABLE], {})
    made = where.read_text()
    assert before.read_text() == ""
    for _ in range(2):  # at every start
        assert main([str(where), VARIABLE], {"CARELINE_LINK_SECRET": "the operator's own secret"}) == 0
        assert where.read_text() == "the operator's own secret"
        assert before.read_text() == made
    assert {stat.S_IMODE(one.stat().st_mode) for one in (where, before)} == {0o600}
    assert sorted(os.listdir(tmp_path)) == ["links", "links-before"]


@pytest.mark.parametrize(
    "secret",
    ["for-trying-it-on-this-machine-only", "aaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababab", " " * 40 + "x" * 16],
)
def test_what_anybody_can_know_signs_no_link_that_leaves_the_machine(secret: str) -> None:
    """The secret that was once published, and those that are one character over and over: refused with a public URL."""
    with pytest.raises(SettingsError, match="CARELINE_LINK_SECRET"):
        Links.of(Settings(public_url="https://care.example", link_secret=SecretStr(secret)))


@pytest.mark.parametrize("base", ["http://127.0.0.1:8090", "http://localhost:1", "http://[::1]:8090"])
def test_on_this_machine_it_may_be_any(base: str) -> None:
    """Links to loopback lead nobody else anywhere."""
    secret = SecretStr("for-trying-it-on-this-machine-only")
    assert Links.of(Settings(public_url=base, link_secret=secret)) is not None


def test_no_page_of_ours_shows_a_secret_that_would_be_taken() -> None:
    """Whoever copies an example with a public URL is told so at the start."""
    shown = re.compile(r"CARELINE_(?:LINK|CALLBACK|WEBHOOK)_SECRET(?:_BEFORE)?[=:] *[\"']?([^\s\"'`|$]+)")
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*"), *ROOT.glob("deploy/**/*.yml")]
    for page in (page for page in pages if page.is_file()):
        assert shown.findall(page.read_text(errors="replace")) == [], page
