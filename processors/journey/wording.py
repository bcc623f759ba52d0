"""Chooses the language of a want: one in which all of its parts exist, so that no letter mixes two."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from processors.journey.naming import policy_of
from processors.journey.playbook import FOOT, Arm, GestureOffer, Playbook, worded
from processors.language import spoken
from streams.events import Gesture


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The texts of a want. ``locale`` is the tag of their language, with the customer's region."""

    locale: str
    why: str
    gesture: Gesture | None = None


def wording(
    playbook: Playbook,
    locale: str | None,
    *,
    letter: str,
    why: Mapping[str, str],
    offer: GestureOffer | None = None,
    task: bool = False,
) -> Wording:
    """Return the why and the gesture for a letter to a customer of that ``locale``, or for a task, which is in the
    default language.

    They are in the customer's language if letter, footer, why and gesture all exist in it, else all in the default one.
    What an experiment may substitute for the letter or gesture counts too, so that the arms do not differ in language.
    """
    whys = {**why, **playbook.own_whys(policy_of(letter))}
    pieces = [whys, *_letters(playbook, letter), *_titles(playbook, letter, offer)]
    if not task and FOOT in playbook.languages:
        pieces.append(playbook.languages[FOOT])
    found = spoken(None if task else locale, playbook.default_locale, *pieces)
    return Wording(locale=found, why=worded(whys, found), gesture=offer.in_locale(found) if offer is not None else None)


def _letters(playbook: Playbook, letter: str) -> Iterator[Collection[str]]:
    names = {letter}
    for arm in _arms(playbook, letter):
        names |= {instead for usual, instead in arm.templates.items() if usual in names}
    yield from (playbook.languages[name] for name in sorted(names) if name in playbook.languages)


def _titles(playbook: Playbook, letter: str, offer: GestureOffer | None) -> Iterator[Collection[str]]:
    offers = {} if offer is None else {offer.code: offer}
    yield from (one.title for one in offers.values())
    for arm in _arms(playbook, letter):
        instead = {one.code: one for usual, one in arm.gestures.items() if usual in offers}
        yield from (one.title for one in instead.values())
        offers |= instead


def _arms(playbook: Playbook, letter: str) -> Iterator[Arm]:
    policy = policy_of(letter)
    return (arm for experiment in playbook.experiments if experiment.policy == policy for arm in experiment.arms)
