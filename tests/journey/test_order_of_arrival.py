"""The order of arrival does not matter: the facts about one thing give the same state in every order.

Arrival changes only:

- the journey id of a wait (``Delay.named_at``): the first beginning we heard of, because a letter that was sent keeps
  its id;
- what was decided meanwhile (letters, holds, deadlines, what time alone closed, a wait that began without notice);
- a fact that is dated ahead counts from when it arrives, so another arrival is another time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice, permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import fields

from processors.journey.endings import KEEP_ENDED
from processors.journey.evolve import evolve
from processors.journey.evolve.delays import journey_id
from processors.journey.evolve.history import MOST
from processors.journey.state import KEEP_AT_MOST, KEEP_CLOSED, begin, prune
from streams.events import (
    Address,
    AgentNoted,
    ConsentChanged,
    ConsentStatus,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    DelayEnded,
    DelayNoticed,
    FeedbackGiven,
    GestureGiven,
    ItemUnavailable,
    JourneyState,
    MentionPosted,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    OutreachChannel,
    ProfilesMerged,
    ProfileUpdated,
    Purpose,
    replace,
)
from tests.drawn import examples
from tests.journey.anything import mixed, of
from tests.journey.care import everything
from tests.journey.codec import TOPICS, at_once, codec
from tests.journey.given import NOON, Journey, erased, profile, tuned

NOW = NOON + timedelta(hours=2)
"""The time at which everything arrives; some facts are dated after it."""

EXAMPLES = examples(60)
"""How many made-up cases of each family are tried."""

AHEAD = timedelta(hours=20)

_when = st.sampled_from([*range(0, 60, 10), 60, 150, 180]).map(lambda minutes: NOON + timedelta(minutes=minutes))
_past = st.integers(0, 6).map(lambda steps: NOON + timedelta(minutes=10 * steps))
_one, _two = st.just("a"), st.sampled_from(["a", "b"])
_order = st.sampled_from([None, "a", "b"])


def _families(when: st.SearchStrategy[datetime]) -> dict[str, st.SearchStrategy[Any]]:
    """Return strategies for facts about one thing that contradict and repeat each other."""

    def at(cls: Any, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return of(cls, occurred_at=when, **fixed)

    order = [at(kind, order_id=_one) for kind in (OrderPlaced, OrderShipped, OrderDelivered, OrderCancelled)]
    contact = [at(kind, contact_id=_one) for kind in (ContactOpened, ContactReplied, ContactClosed)]
    notice = at(DelayNoticed, subject_kind=st.just("flight"), subject_id=_one, order_id=_order)
    ended = at(DelayEnded, subject_kind=st.just("flight"), subject_id=_one)
    ends = [at(kind, order_id=_two) for kind in (OrderDelivered, OrderCancelled)]
    post = at(MentionPosted, mention_id=_one)
    channels = st.sampled_from([None, OutreachChannel.EMAIL])
    return {
        "an order": mixed(*order),
        "a contact": mixed(*contact),
        "a wait": mixed(notice, notice, ended),
        "a wait and its order": mixed(notice, notice, ended, *order),
        "a wait and two orders": mixed(notice, notice, *ends),
        "a post": mixed(post, post, at(ContactReplied, contact_id=_one)),
        "a post and a contact": mixed(post, *contact),
        "a profile": at(ProfileUpdated),
        "a consent": at(ConsentChanged, channel=channels, purpose=st.just(Purpose.SERVICE)),
        "a wish": at(ItemUnavailable, item_id=_one),
        "feedback": at(FeedbackGiven, feedback_id=_one),
        "a note": at(AgentNoted, note_id=_one),
        "a gesture": at(GestureGiven, gesture_id=_one),
        "a merge": at(ProfilesMerged, other_customer_id=_two, told=st.just(True), settled=st.just(())),
    }  # fmt: skip


FAMILIES = _families(_when)
PAST = _families(_past)


def folded(facts: Iterable[Any], now: datetime = NOW) -> JourneyState:
    """Return the state after the facts in this order of arrival, without the ids of waits."""
    state = begin("ana", now)
    for fact in facts:
        state = evolve(state, fact, now)
    return unnamed(state)


def unnamed(state: JourneyState) -> JourneyState:
    """Return the state without the ids of waits."""
    return replace(state, delays=tuple(replace(one, named_at=None, named_as=None) for one in state.delays))


def orders_of(facts: Sequence[Any], chance: Random) -> Iterable[Sequence[Any]]:
    """Return every order of a few facts, or some orders of more."""
    if math.factorial(len(facts)) <= 24:
        return islice(permutations(facts), 1, None)
    return [chance.sample(list(facts), len(facts)) for _ in range(24)]


@pytest.mark.parametrize("family", FAMILIES)
def test_in_every_order_the_same_remains(family: str) -> None:
    """Every order of arrival gives the same state, with contradictions, repeats, equal times and future times."""

    @for_any(st.lists(FAMILIES[family], min_size=2, max_size=7), st.integers(0, 10**6))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
    def holds(facts: list[Any], seed: int) -> None:
        chance = Random(seed)
        told = [*facts, *chance.sample(facts, chance.randint(0, 2) if len(facts) < 5 else 0)]
        expected = folded(told)
        assert at_once(codec().decode(codec().encode(TOPICS.journeys, expected))) == expected
        for order in orders_of(told, chance):
            assert folded(order) == expected

    holds()


@for_any(st.lists(mixed(*PAST.values()), max_size=14), st.integers(0, 10**6))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_a_life_heard_in_another_order(facts: list[Any], seed: int) -> None:
    """Through the whole core, what is known of all things at the end is the same in another order of arrival."""
    chance = Random(seed)
    first, second = lived(facts), lived(chance.sample(facts, len(facts)))
    assert known(first) == known(second)


def lived(facts: Iterable[Any]) -> Journey:
    """Return the journey of a customer whose facts arrive a minute apart, with rules that close nothing meanwhile."""
    journey = Journey(everything(quiet_hours=None))
    journey.when(profile(event_id="first"))
    for number, fact in enumerate(facts):
        journey.when(replace(fact, event_id=f"{number}-{fact.event_id}"), now=NOW + timedelta(minutes=number))
    return journey.when_time_passes_to(NOW + timedelta(minutes=20))


UNTOLD: dict[str, Any] = {
    "letters": 0,
    "told_expected_at": None,
    "told_cancelled": False,
    "told_stage": -1,
    "refused": None,
    "held_until": None,
    "told_at": None,
}


def known(journey: Journey) -> JourneyState:
    """Return what the journey knows of what happened, without decisions and times of arrival."""
    state = unnamed(journey.known)
    return replace(
        state,
        contacts=tuple(replace(one, routed_to=None) for one in state.contacts),
        delays=tuple(replace(one, **UNTOLD) for one in state.delays if not one.unannounced),
        outreach=(),
        settled=(),
        timers=(),
        assignments=(),
        wake_at=None,
        revision=0,
        recent_events=b"",
        playbook_version=None,
        updated_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("family", ["an order", "a contact", "a wait", "a profile", "a consent", "a wish", "a post"])
def test_what_is_dated_ahead_counts_from_its_arrival(family: str) -> None:
    """A fact that is dated a day ahead does not override one from an hour later."""

    @for_any(FAMILIES[family], FAMILIES[family])
    @settings(max_examples=examples(60), deadline=None, derandomize=True)
    def holds(early: Any, late: Any) -> None:
        ahead = replace(early, occurred_at=NOW + AHEAD)
        punctual = replace(early, occurred_at=NOW)
        later = replace(late, occurred_at=NOW + timedelta(hours=1))

        def after(first: Any) -> JourneyState:
            state = evolve(begin("ana", NOW), first, NOW)
            return evolve(state, later, NOW + timedelta(hours=1))

        assert after(ahead) == after(punctual)

    holds()


def test_a_yes_dated_ahead_does_not_outlast_a_no() -> None:
    """An opt-in that is dated tomorrow does not override an opt-out an hour later."""
    yes = ConsentChanged(
        event_id="1", customer_id="ana", occurred_at=NOW + AHEAD, source="t", purpose=Purpose.SERVICE,
        status=ConsentStatus.GRANTED,
    )  # fmt: skip
    no = replace(yes, event_id="2", occurred_at=NOW + timedelta(hours=1), status=ConsentStatus.REVOKED)
    state = evolve(evolve(begin("ana", NOW), yes, NOW), no, NOW + timedelta(hours=1))
    assert [one.status for one in state.consents] == [ConsentStatus.REVOKED]


def test_an_erasure_dated_ahead_forgets_nothing_of_tomorrow() -> None:
    """After an erasure that is dated ahead, a customer who returns the same afternoon is a new one."""
    journey = Journey().when(profile()).when(erased(NOW + AHEAD), now=NOW)
    journey.when(profile(NOW + timedelta(hours=1)))
    assert journey.known.profile.name == "Ana"


# -- what has ended stays closed ---------------------------------------------------------------------------------------

_said = {"event_id": "1", "customer_id": "ana", "source": "t"}


def _beginnings(name: str, at: datetime) -> dict[str, tuple[Any, Any]]:
    """Return, for each family that ends, a beginning and an end half an hour later."""
    begins, ends = {**_said, "occurred_at": at}, {**_said, "occurred_at": at + timedelta(minutes=30)}
    flight = {"subject_kind": "flight", "subject_id": name}
    return {
        "an order": (
            OrderPlaced(**begins, order_id=name, description="lamp"),
            OrderDelivered(**ends, order_id=name),
        ),
        "a cancelled order": (
            OrderPlaced(**begins, order_id=name, description="lamp"),
            OrderCancelled(**ends, order_id=name),
        ),
        "a contact": (
            ContactOpened(**begins, contact_id=name, channel="CHAT"),  # type: ignore[arg-type]
            ContactClosed(**ends, contact_id=name),
        ),
        "a wait": (
            DelayNoticed(**begins, **flight, description="flight", promised_at=at),
            DelayEnded(**ends, **flight),
        ),
        "a wait for an order": (
            DelayNoticed(**begins, **flight, description="flight", promised_at=at, order_id=name),
            OrderDelivered(**ends, order_id=name),
        ),
    }  # fmt: skip


def open_things(state: JourneyState) -> list[Any]:
    """Return what is open."""
    journeys = (*state.orders, *state.contacts, *state.delays)
    return [one for one in journeys if one.closed_at is None]


@pytest.mark.parametrize("family", _beginnings("x", NOON))
@pytest.mark.parametrize("how", ["at once", "after thirty days", "after many others", "of long ago"])
def test_no_end_is_undone_by_an_older_beginning(family: str, how: str) -> None:
    """An older beginning does not reopen what has ended, even after that was pruned."""
    at = NOON - timedelta(days=700) if how == "of long ago" else NOON
    start, end = _beginnings("x", at)[family]
    state, now = prune(evolve(begin("ana", NOW), end, NOW), NOW), NOW
    if how == "after thirty days":
        now = NOW + KEEP_CLOSED + timedelta(days=1)
    if how == "after many others":
        for number in range(KEEP_AT_MOST + 5):
            for other in _beginnings(f"n{number}", NOON + timedelta(hours=1))[family]:
                state = prune(evolve(state, other, NOW + timedelta(hours=3)), NOW)
    state = prune(state, now)
    state = prune(evolve(state, start, now), now)
    assert open_things(state) == []


@pytest.mark.parametrize("family", _beginnings("x", NOON))
def test_what_begins_after_a_forgotten_end_begins(family: str) -> None:
    """A beginning later than a remembered end opens a new journey."""
    start, end = _beginnings("x", NOON)[family]
    now = NOW + KEEP_CLOSED + timedelta(days=1)
    state = prune(prune(evolve(begin("ana", NOW), end, NOW), NOW), now)
    assert state.ended, "it is forgotten but for its end"
    assert open_things(evolve(state, replace(start, occurred_at=now), now))


def test_the_ends_that_are_remembered_are_bounded() -> None:
    """The remembered ends are limited in number, and dropped once no earlier fact can arrive."""
    state = begin("ana", NOW)
    for number in range(2 * KEEP_ENDED):
        _, end = _beginnings(f"n{number}", NOON + timedelta(minutes=number))["an order"]
        state = prune(evolve(state, end, NOW + timedelta(days=1)), NOW)
    assert len(state.orders) == KEEP_AT_MOST
    assert len(state.ended) == KEEP_ENDED * 16
    later = prune(state, NOW + timedelta(days=200))
    assert len(later.ended) == KEEP_AT_MOST * 16, "those that are forgotten only now"
    assert prune(later, NOW + timedelta(days=400)).ended == b""


@pytest.mark.parametrize("family", ["an order", "a contact", "a wait"])
def test_what_is_kept_of_one_thing_is_bounded(family: str) -> None:
    """The state keeps at most 32 entries of a thing, even after a thousand facts."""
    start, end = _beginnings("x", NOON)[family]
    state = begin("ana", NOW)
    for number in range(500):
        for fact in (start, end):
            at = fact.occurred_at + timedelta(hours=number)
            state = evolve(state, replace(fact, occurred_at=at), at)
    (thing,) = (*state.orders, *state.contacts, *state.delays)
    assert len(thing.history) <= MOST * 7
    assert thing.closed_at == end.occurred_at + timedelta(hours=499)


def test_a_long_talk_keeps_its_first_answer() -> None:
    """The first answer of a person is still known after a hundred messages, also in a reopened contact."""
    opened, _ = _beginnings("x", NOON)["a contact"]

    def answers(start: datetime) -> list[Any]:
        return [
            ContactReplied(
                **_said, occurred_at=start + timedelta(seconds=5 * number), contact_id="x", channel=opened.channel
            )
            for number in range(1, 101)
        ]  # fmt: skip

    closed = ContactClosed(**_said, occurred_at=NOON + timedelta(minutes=30), contact_id="x")
    again = replace(opened, occurred_at=NOON + timedelta(minutes=40))
    facts = [opened, *answers(NOON), closed, again, *answers(again.occurred_at)]
    (contact,) = folded(facts).contacts
    assert contact.replied_at == again.occurred_at + timedelta(seconds=5)
    assert contact.opened_at == again.occurred_at
    (early,) = folded(facts[:-101]).contacts
    assert (early.opened_at, early.replied_at) == (NOON, NOON + timedelta(seconds=5))


def test_the_addresses_of_a_late_telling() -> None:
    """Of two late profile updates the later counts, even if a third one with other fields is later still."""
    addresses = [Address(channel=OutreachChannel.EMAIL, address=f"{name}@x.example") for name in "ab"]
    tellings = [
        ProfileUpdated(**_said, occurred_at=NOON + timedelta(minutes=10 * number), addresses=(address,))
        for number, address in enumerate(addresses)
    ]
    moved = ProfileUpdated(**_said, occurred_at=NOW, locale="de")
    assert folded([moved, *tellings]).profile.addresses == (addresses[1],)


PLAYBOOK = tuned(quiet_hours=None, caps=())


def test_a_letter_keeps_its_name() -> None:
    """An earlier notice changes when the wait began, but causes no second letter."""
    start, _ = _beginnings("x", NOON)["a wait"]
    notice = replace(start, expected_at=NOW + timedelta(hours=9), promised_at=NOW + timedelta(hours=2))
    journey = Journey(PLAYBOOK).when(profile()).when(replace(notice, event_id="a", occurred_at=NOON), now=NOW)
    journey.then("send notice with meal")
    earlier = NOON - timedelta(minutes=10)
    journey.when(replace(notice, event_id="b", occurred_at=earlier), now=NOW).then_nothing()
    (wait,) = journey.known.delays
    assert (wait.opened_at, wait.named_at, wait.letters) == (earlier, NOON, 1)


def test_what_an_order_ended_stays_ended_when_the_order_is_forgotten() -> None:
    """A wait that ended with its order stays closed when the order is pruned and placed again."""
    start, end = _beginnings("x", NOON)["a wait for an order"]
    state = replace(folded([start, end]), orders=())
    placed = OrderPlaced(**_said, occurred_at=NOW, order_id="x", description="lamp")
    cancelled = OrderCancelled(**_said, occurred_at=NOW, order_id="x")
    for fact in (placed, cancelled, start):
        state = evolve(state, fact, NOW)
        assert [one.closed_at for one in state.delays] == [end.occurred_at]


# -- states of version 3 -------------------------------------------------------------------------------------------

FORMER = {
    "contacts": ("matter_as_of", "summary_as_of", "history"),
    "orders": ("history",),
    "mentions": ("history",),
    "delays": (
        "named_at",
        "noticed_expected_at",
        "noticed_cancelled",
        "order_id_as_of",
        "time_zone_as_of",
        "history",
    ),
}


def as_formerly_kept(state: JourneyState) -> JourneyState:
    """Return the state as version 3 kept it, without the fields of version 4."""

    def without(record: Any, names: Iterable[str]) -> Any:
        bare = {field.name: field.default for field in fields(type(record)) if field.name in names}
        return replace(record, **bare)

    changes: dict[str, Any] = {
        family: tuple(without(one, names) for one in getattr(state, family)) for family, names in FORMER.items()
    }
    stamps = [f"{name}_as_of" for name in ("name", "locale", "time_zone", "addresses")]
    return replace(state, ended=b"", profile=without(state.profile, stamps), **changes)


@pytest.mark.parametrize("family", _beginnings("x", NOON))
def test_a_state_of_before_goes_on(family: str) -> None:
    """In a state of version 3 an end closes a journey, and a repeated beginning does not reopen it."""
    start, end = _beginnings("x", NOON)[family]
    begun = as_formerly_kept(folded([start]))
    ended = evolve(begun, end, NOW)
    assert open_things(ended) == []
    again = evolve(as_formerly_kept(ended), start, NOW)
    assert open_things(again) == []
    later = replace(start, occurred_at=NOW)
    if family == "a contact" or family.startswith("a wait"):
        assert open_things(evolve(as_formerly_kept(ended), later, NOW)), "and what begins later begins"


def test_the_name_of_a_wait_of_before_stays() -> None:
    """A letter that was requested under version 3 is still retracted when the wait ends."""
    start, end = _beginnings("x", NOON)["a wait"]
    notice = replace(start, expected_at=NOW + timedelta(hours=9), promised_at=NOW + timedelta(hours=2))
    journey = Journey(PLAYBOOK).when(profile()).when(notice, now=NOON).then("send notice with meal")
    name = journey_id(journey.known.delays[0])
    journey.state = as_formerly_kept(journey.known)
    earlier = NOON - timedelta(minutes=10)
    journey.when(replace(notice, event_id="b", occurred_at=earlier), now=NOON).then_nothing()
    assert journey_id(journey.known.delays[0]) == name
    journey.when(replace(end, event_id="c")).then("take back notice: wait_over")


def test_two_waits_for_one_thing_of_before() -> None:
    """In a state of version 3 with two waits for one thing, new facts apply to the later one."""
    start, end = _beginnings("x", NOON)["a wait"]
    first = as_formerly_kept(folded([start, end])).delays
    later = replace(start, occurred_at=NOON + timedelta(hours=1))
    both = replace(begin("ana", NOW), delays=first + as_formerly_kept(folded([later])).delays)
    ended = evolve(both, replace(end, occurred_at=NOON + timedelta(hours=1, minutes=30)), NOW)
    assert [(one.opened_at, one.closed_at) for one in ended.delays] == [
        (later.occurred_at, NOON + timedelta(hours=1, minutes=30))
    ]
