"""Which language stands for which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.language import canonical, is_right_to_left, nearest, spoken, steps


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("pt-BR", ("pt-BR", "pt")), ("pt_br", ("pt-BR", "pt")), ("PT", ("pt",)), ("de_DE", ("de-DE", "de")),
        ("DE", ("de",)), ("deu", ("de",)), ("de_DE.UTF-8", ("de-DE", "de")), ("de_AT@euro", ("de-AT", "de")),
        ("de-DE-u-co-phonebk", ("de-DE", "de")), (" de ", ("de",)), ("en-XX", ("en",)),
        ("es-MX", ("es-MX", "es-419", "es")), ("en-GB", ("en-GB", "en-001", "en")),
        ("pt-AO", ("pt-AO", "pt-PT", "pt")), ("fr-CA", ("fr-CA", "fr")),
        ("zh-TW", ("zh-Hant-TW", "zh-Hant")), ("ZH_hant_tw", ("zh-Hant-TW", "zh-Hant")),
        ("zh-CN", ("zh-CN", "zh")), ("zh-Hans-CN", ("zh-CN", "zh")), ("sr-Latn-RS", ("sr-Latn-RS", "sr-Latn")),
        ("sr-ME", ("sr-Latn-ME", "sr-Latn")), ("sr-Cyrl", ("sr",)), ("nb-NO", ("nb-NO", "nb", "no")),
        ("iw", ("he",)), ("hi-Latn", ("hi-Latn",)), ("ht", ("ht",)),
        ("xx", ()), ("", ()), ("-", ()), ("klingon", ()), ("../../etc/passwd", ()),
    ],
)  # fmt: skip
def test_what_may_stand_for_a_language(tag: str, found: tuple[str, ...]) -> None:
    """However it is spelled: the region's own, then what CLDR has above it, then the language; never another script
    or another language."""
    assert steps(tag) == found


@pytest.mark.parametrize(
    ("tag", "written", "found"),
    [
        ("pt-BR", ["en", "pt"], "pt"), ("pt-BR", ["pt", "PT_br"], "PT_br"), ("es-AR", ["es", "es-419"], "es-419"),
        ("zh-TW", ["zh", "en"], None), ("zh-TW", ["zh", "zh-Hant"], "zh-Hant"), ("zh", ["zh-Hans"], "zh-Hans"),
        ("sr-Latn", ["sr"], None), ("sr", ["sr-Cyrl"], "sr-Cyrl"), ("de", ["de-AT"], None), ("xx", ["en"], None),
        ("de", [], None), ("de", ["xx", "../de"], None),
    ],
)  # fmt: skip
def test_the_nearest(tag: str, written: list[str], found: str | None) -> None:
    """RFC 4647's lookup: less and less is asked for, and nothing is served that was not asked for."""
    assert nearest(tag, written) == found


def test_all_of_it_in_one_language() -> None:
    """One piece that is not there in the wanted language, and all of it is in the default one, or in English."""
    assert spoken("pt_br", "de", ["de", "pt"], ["pt-BR", "de"]) == "pt-BR"
    assert spoken("pt-BR", "de-AT", ["de", "pt"], ["de"]) == "de-AT"
    assert spoken(None, "de", ["de", "pt"]) == "de"
    assert spoken("xx", "de", ["de"]) == "de"
    assert spoken("pt", "de", ["en", "pt"], ["en", "de"]) == "en"


@given(st.text(max_size=40), st.lists(st.text(max_size=8), max_size=3))
def test_any_text_may_come_as_a_language(tag: str, written: list[str]) -> None:
    """Nothing that somebody calls a locale is an error."""
    known = canonical(tag)
    assert known is None or canonical(known) == known
    assert spoken(tag, "de", ["de"]) in ("de", known)
    assert nearest(tag, written) in (None, *written)


@pytest.mark.parametrize(("tag", "is_so"), [("ar-EG", True), ("he", True), ("fa_IR", True), ("pa-Arab", True),
                                            ("pa", False), ("de", False), ("xx", False)])  # fmt: skip
def test_the_direction(tag: str, is_so: bool) -> None:
    """Arabic and Hebrew, whatever the region; a script decides where a language has two."""
    assert is_right_to_left(tag) is is_so
