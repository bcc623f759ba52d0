"""A look on one screen: what needs a person first, then everything else in few lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.text import Text

from processors.roles.certificates import left
from processors.status.data import WELL, worst
from processors.status.findings import NEEDED, ROLES, Finding, Weight, findings, oldest_overdue, state_of, waiting
from processors.status.seen import Recent, RoleState, Seen
from processors.status.workers import Worker, workers_of
from processors.terminal import Grid, Part, Screen, styled
from streams.broker.provision import TopicStatus
from streams.durations import span

_GOOD, _BAD, _DOUBT, _DIM = "green", "bold red", "yellow", "dim"
_STATES = {
    RoleState.READY: _GOOD,
    RoleState.RUNNING: "",
    RoleState.NOT_READY: _BAD,
    RoleState.STOPPED: _BAD,
    RoleState.REBALANCING: _DOUBT,
}
_WEIGHTS = {Weight.AWAY: _BAD, Weight.PERSON: _DOUBT, Weight.NOTE: _DIM}
_MARKS = {Weight.AWAY: "away", Weight.PERSON: "look", Weight.NOTE: "note"}
_UNTOLD = "?"
_PIPED = 1_000
_WIDE = 100
"""Columns from which the ops ports fit beside the rest."""


def show(seen: Seen, screen: Screen) -> None:
    """Print it."""
    found = findings(seen)
    screen.print(_summary(seen, found))
    if found:
        screen.print()
        screen.grid(_findings(found, beside=screen.width < _PIPED))
    for title, grid in (
        ("Servers", _servers(seen)),
        ("Roles", _roles(seen, wide=screen.width >= _WIDE)),
        ("Care", _care(seen)),
    ):
        screen.print()
        screen.print(styled(title, style="bold"))
        screen.grid(grid)


def _summary(seen: Seen, found: tuple[Finding, ...]) -> Text:
    away = [one.about for one in found if one.weight is Weight.AWAY]
    persons = sum(one.weight is Weight.PERSON for one in found)
    if away:
        said: Part = (f"{', '.join(away)} {'do' if len(away) > 1 else 'does'} not answer", _BAD)
    elif persons:
        said = (f"{persons} {'things need' if persons > 1 else 'thing needs'} a person", f"bold {_DOUBT}")
    else:
        assert worst(found) == WELL
        said = ("All is well", f"bold {_GOOD}")
    when = f"{seen.at:%d %b %H:%M:%S} UTC, asked in {seen.took.total_seconds():.1f} s"
    return styled(said, (f"   {when}, topics {seen.prefix}*", _DIM))


def _findings(found: tuple[Finding, ...], *, beside: bool) -> Grid:
    """The way out stands beside what is the matter, or behind it where a line has no end."""
    grid = Grid(("", "what", *(("do",) if beside else ())), rigid=("",), header=False)
    for one in found:
        about = styled((one.about, _WEIGHTS[one.weight]), ": ", one.what)
        mark = (_MARKS[one.weight], _WEIGHTS[one.weight])
        if beside:
            grid.add(mark, about, (one.do, _DIM))
        else:
            grid.add(mark, styled(about, " -> ", one.do))
    return grid


def _servers(seen: Seen) -> Grid:
    grid = Grid(
        ("", "state", "answer", "what"), rigid=("", "state", "answer"), right=("answer",), header=False, indent=2
    )
    for name, answer in seen.servers.items():
        state = ("up", _GOOD) if answer.up else ("away", _BAD)
        took = f"{answer.seconds * 1_000:.0f} ms" if answer.up else ""
        grid.add(name, state, took, styled(seen.addresses.get(name, ""), (_more(name, seen), _DIM)))
    return grid


def _more(name: str, seen: Seen) -> str:
    match name:
        case _ if not seen.servers[name].up:
            return ""
        case "kafka" if seen.cluster is not None:
            controller = "" if seen.cluster.controller is None else f", controller {seen.cluster.controller}"
            return f"  {_count(len(seen.cluster.brokers), 'broker')}{controller}{_topics(seen)}"
        case "registry" if seen.subjects is not None:
            lacking = sum(bool(one.missing) for one in seen.subjects)
            return f"  {len(seen.subjects)} subjects, {f'{lacking} lack' if lacking else 'all with'} our schemas"
        case "redis" if seen.view_built is not None:
            return "  holds the view" if seen.view_built else "  no view yet"
        case _:
            return ""


def _topics(seen: Seen) -> str:
    if seen.topics is None:
        return ""
    same = sum(one.status is TopicStatus.SAME for one in seen.topics)
    of = "" if same == len(seen.topics) else f" of {len(seen.topics)}"
    partitions = {one.partitions for one in seen.topics}
    return f", {same}{of} topics as in the catalogue, {', '.join(map(str, partitions))} partitions"


def _roles(seen: Seen, *, wide: bool) -> Grid:
    columns = ("role", "state", "worker", "partitions", "lag", "playbook", "version", *(("ops port",) if wide else ()))
    grid = Grid(columns, rigid=("role", "state", "partitions"), right=("lag",), indent=2)
    for role in ROLES:
        state = state_of(role, seen)
        group = seen.groups.get(role)
        lag = seen.view_lag if role == "view" else None if group is None else group.behind
        workers = workers_of(role, seen) or (Worker(instance=None, host=None, partitions=None, ops=None),)
        for at, one in enumerate(workers):
            first = at == 0
            grid.add(
                role if first else "",
                _state(one, state, needed=role in NEEDED, alone=len(workers) == 1),
                one.instance or "",
                "" if one.partitions is None else ranges(one.partitions),
                ("" if lag is None else str(lag)) if first else "",
                (one.ops.playbook or "")[:8] if one.ops is not None else "",
                (one.ops.version or "") if one.ops is not None else "",
                *((one.ops.url.removeprefix("http://") if one.ops is not None else "",) if wide else ()),
            )
    return grid


def _state(one: Worker, state: RoleState, *, needed: bool, alone: bool) -> Part:
    if not alone and one.ops is not None:  # each says it of itself
        state = RoleState.READY if one.ops.ready else RoleState.NOT_READY
    elif not alone and state is RoleState.NOT_READY:
        state = RoleState.RUNNING
    missing = needed and state is RoleState.NEVER
    return (state.value, _BAD if missing else _STATES.get(state, _DIM))


def ranges(numbers: tuple[int, ...]) -> str:
    """Sorted numbers as 0-3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _care(seen: Seen) -> Grid:
    grid = Grid(("", "what"), rigid=("",), header=False, indent=2)
    for name, said in _lines(seen):
        grid.add(name, said)
    return grid


def _lines(seen: Seen) -> Iterator[tuple[str, Part]]:
    yield "last event", _last_event(seen)
    yield "letters waiting", _letters(seen)
    yield "dead letters", _recent(seen.dead_letters)
    yield "uncertain letters", _recent(seen.uncertain)
    yield "certificates", _certificates(seen)
    if seen.prometheus is not None:
        yield "prometheus", seen.prometheus


def _last_event(seen: Seen) -> Part:
    if seen.last_event is not None:
        return f"{_ago(seen.at - seen.last_event)} ago"
    if seen.any_event is None:
        return (_UNTOLD, _DIM)
    return ("too long ago to see" if seen.any_event else "there was none yet", _DIM)


def _letters(seen: Seen) -> Part:
    reasons = waiting(seen.ops)
    if reasons is None:
        return ("not known: no outreach worker tells it at an ops port", _DIM)
    some = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in reasons.items() if count)
    overdue = oldest_overdue(seen.ops)
    late = f"; the oldest was due {_ago(timedelta(seconds=overdue))} ago" if overdue else ""
    return f"{sum(reasons.values())}{f': {some}' if some else ''}{late}"


def _recent(one: Recent | None) -> Part:
    if one is None:
        return (_UNTOLD, _DIM)
    least = "" if one.complete else "at least "
    return (f"{least}{one.count} in the last day", "" if not one.count else _DOUBT)


def _certificates(seen: Seen) -> Part:
    if not seen.certificates:
        return ("no TLS is used", _DIM)
    known = [(rest, one) for one in seen.certificates if (rest := left(one, seen.at)) is not None]
    if not known:
        return (_UNTOLD, _DIM)
    rest, one = min(known, key=lambda pair: pair[0])
    return (
        f"{len(known)} read; the first to end: {one.endpoint}, {f'in {span(rest)}' if rest > timedelta() else 'it has'}"
    )


def _ago(age: timedelta) -> str:
    return f"{max(0.0, age.total_seconds()):.0f} s" if age < timedelta(minutes=2) else span(age)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
