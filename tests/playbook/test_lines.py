"""Faults of a file are reported together, each with its line; and files that are no playbook."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.journey.wait_rules import WaitRules
from processors.playbook import Fault, PlaybookRefused, playbook_from
from processors.playbook.loading import MAX_BYTES
from processors.playbook.packaged import packaged_playbook
from tests.drawn import examples
from tests.playbook.good import GOOD, WHOLE, dumped


def faults(text: str | bytes) -> list[str]:
    """Return the reported faults; none for a good file."""
    said = refusal(text if isinstance(text, bytes) else text.encode())
    if said is None:
        return []
    assert str(said).splitlines() == said.told()
    return said.told()


def refusal(content: bytes) -> PlaybookRefused | None:
    """Return why the file is rejected; None if it is accepted."""
    try:
        playbook_from(content, where="playbook.yaml")
    except PlaybookRefused as refused:
        return refused
    return None


def test_all_faults_at_once_each_by_its_line() -> None:
    """All faults are reported at once, each with its line and field."""
    lines = packaged_playbook().splitlines()

    def spoil(old: str, new: str) -> int:
        at = next(number for number, line in enumerate(lines) if old in line)
        lines[at] = lines[at].replace(old, new)
        return at + 1

    flight = next(number for number, line in enumerate(lines, start=1) if line.startswith("  flight:"))
    misspelt = spoil("revise_after: 20m", "revise_afer: 20m")
    wait = spoil("- wait: 2h", "- wait: 2 hours")
    clock = spoil("CHAT:      { holding_after: 5m", "CHAT:      { holding_after: 50m")
    night = spoil('end: "07:00"', "end: 17:00")
    coupon = spoil("ten-percent-next-time:  ", "ten-percent-nxt-time:  ")
    arms = next(number for number, line in enumerate(lines, start=1) if line.strip() == "arms:")
    spoil("name: ten-percent, share: 0.5", "name: ten-percent, share: 0.6")
    first = spoil("priority: [delay_care", "priority: [delays")
    told = faults("\n".join(lines))
    assert [line.split(": ")[:2] for line in told] == [
        [f"playbook.yaml:{flight}", "delay_care.flight.revise_after"],
        [f"playbook.yaml:{misspelt}", "delay_care.flight.revise_afer"],
        [f"playbook.yaml:{wait}", "delay_care.flight.gestures.1.wait"],
        [f"playbook.yaml:{clock}", "response_watch.clocks.CHAT.escalate_after"],
        [f"playbook.yaml:{night}", "quiet_hours.end"],
        [f"playbook.yaml:{arms}", "experiments.0.arms"],
        [f"playbook.yaml:{coupon}", "experiments.0.arms.1.gestures.ten-percent-nxt-time"],
        [f"playbook.yaml:{first}", "priority.0"],
    ]
    assert told[0].endswith("is missing")
    assert told[1].endswith("is not known here; is revise_after meant?")
    assert told[2].endswith("'2 hours' is not a duration; write 30m, 2h or 1d")


def test_a_fault_reads_as_it_stands_in_the_documents() -> None:
    """A fault has file, line, field, what is wrong and what would be right."""
    fault = Fault(17, "delay_care.flight.threshold", "'30x' is not a duration; write 30m, 2h or 1d")
    expected = "playbook.yaml:17: delay_care.flight.threshold: '30x' is not a duration; write 30m, 2h or 1d"
    assert fault.told("playbook.yaml") == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency: *usd\n", "playbook.yaml:1: currency: *usd stands for what is written elsewhere; write it out"),
        ("\n\ncurrency: !!python/name:os.system x\n", "playbook.yaml:3: currency: the tag "),
        ("currency: !usd x\n", "playbook.yaml:1: currency: the tag !usd means nothing here; leave it out"),
        ("currency: !usd [x]\n", "playbook.yaml:1: currency: the tag !usd means nothing here; leave it out"),
        ("currency: 2013-99-99\n", "playbook.yaml:1: currency: '2013-99-99' is a date"),
        ("currency: " + "9" * 5_000, "playbook.yaml:1: currency: '999"),
        ("currency: 0x" + "f" * 5_000, "playbook.yaml:1: currency: '0xfff"),
        ('\ncurrency: "\\ud800"', "playbook.yaml:2: currency: holds half a character"),
        ('"\\ud800": x', "playbook.yaml:1: a name has to be a text"),
        ('"a\\nb": x', "playbook.yaml:1: 'a\\nb': is not known here"),
        ("[1]: x", "playbook.yaml:1: a name has to be a text"),
        ("<<: {currency: USD}", "playbook.yaml:1: << would take in what is written elsewhere"),
        ("currency: &usd USD\n", "playbook.yaml:1: currency: &usd gives it a name for use elsewhere"),
        ("currency: !!str USD\n", "playbook.yaml:1: currency: the tag tag:yaml.org,2002:str means nothing here"),
        ("!!str currency: USD\n", "playbook.yaml:1: the tag tag:yaml.org,2002:str means nothing here"),
        ("~: USD\n", "playbook.yaml:1: a name has to be a text; '~' is none without quotes"),
        ("currency: USD\ncurrency: USD\ncurrency: USD", "playbook.yaml:2: currency: stands twice, on line 1 already"),
        ("a: [1\nb: 2", "playbook.yaml:2: while parsing a flow sequence"),
        ("a: 1\n--- \nb: 1", "playbook.yaml:2: expected a single document"),
        ("a: 1\nb: \x07", "playbook.yaml:2: the character #x07 can't stand in YAML"),
        (b"a: 1\nb: \xff", "playbook.yaml:2: is not text in UTF-8"),
        ("[" * 2_000, "playbook.yaml:1: is nested deeper than 20 levels"),
        ("- " * 2_000, "playbook.yaml:1: is nested deeper than 20 levels"),
        ("# nothing but words\n", "playbook.yaml:1: is empty"),
        ("#" * (MAX_BYTES + 1), "playbook.yaml:1: is larger than 1 MiB"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "bytes",
)  # fmt: skip
def test_what_is_not_taken_from_yaml(text: str | bytes, told: str) -> None:
    """Aliases, tags, and unusual numbers and characters are rejected with a message that names them."""
    assert any(line.startswith(told) for line in faults(text)), faults(text)


# -- values that YAML interprets differently ---------------------------------------------------------------------------

NOT_DECIMAL = [
    "0100", "00", "-0", "+5", "1_000", "0x40", "0X40", "0o100", "0b101", "1e3", "1E+3", "1.5e1", ".5", "5.", "4:50",
    "190:20:30", "1:30.5", ".inf", "-.inf", ".NaN", "1.000_1",
]  # fmt: skip
NO_TEXT = [
    "yes",
    "no",
    "On",
    "OFF",
    "true",
    "False",
    "y",
    "N",
    "2013-02-08",
    "2013-2-8 10:00:00",
    "=",
    "<<",
    "~",
    "null",
]
PLAIN = dumped(GOOD | {"holdouts": {"global": {"share": 0.02, "seed": "everything"}}})
PLACES = [
    ("most: 8", "caps.0.most"),
    ("code: hotel", "delay_care.default.cancelled.code"),
    ("seed: everything", "holdouts.global.seed"),
    ("cost: '95.00'", "delay_care.default.cancelled.cost"),
]


@pytest.mark.parametrize(("entry", "field"), PLACES, ids=[field for _, field in PLACES])
@pytest.mark.parametrize("value", NOT_DECIMAL + NO_TEXT)
def test_what_readers_of_yaml_take_for_different_things(entry: str, field: str, value: str) -> None:
    """An unquoted amount, count, code or seed that YAML 1.1 or 1.2 reads as another number, a boolean, a date or null
    is rejected with its line and field."""
    lines = PLAIN.splitlines()
    at = next(number for number, line in enumerate(lines) if entry in line)
    lines[at] = lines[at].replace(entry, f"{entry.partition(':')[0]}: {value}  ")
    told = faults("\n".join(lines))
    assert len(told) == 1
    assert told[0].startswith(f"playbook.yaml:{at + 1}: {field}: ")
    assert "quotes" in told[0] or "leave it out" in told[0]


@pytest.mark.parametrize(
    ("written", "amount"), [("100", "100.00"), ("4.5", "4.50"), ("0.05", "0.05"), ('"4.50"', "4.50"), ("0", "0.00")]
)
def test_a_plain_decimal_is_what_it_says(written: str, amount: str) -> None:
    """An amount may be quoted or not."""
    text = packaged_playbook().replace('cost: "18.00"', f"cost: {written}")
    stage = playbook_from(text.encode(), where="playbook.yaml").rules_of(WaitRules).of("flight").stages[2]
    assert str(stage.gesture.cost) == amount


@pytest.mark.parametrize("written", ['"0100"', '"4:50"', '"1e3"', '"1_000"', '"-5"', '"٤"', "-5", "٤", "4,50", "4.505"])
def test_no_other_amount_in_quotes_either(written: str) -> None:
    """A quoted amount must also be a plain decimal with at most two decimals."""
    text = packaged_playbook().replace('cost: "18.00"', f"cost: {written}")
    told = faults(text)
    assert len(told) == 1
    assert "is not an amount; write" in told[0]


def test_in_quotes_a_text_is_a_text() -> None:
    """A quoted seed may be no, 0100 or 2013-02-08."""
    for seed in ("no", "0100", "2013-02-08", "~", "1e3"):
        text = PLAIN.replace("seed: everything", f'seed: "{seed}"')
        assert playbook_from(text.encode(), where="playbook.yaml").holdouts["global"].seed == seed


def test_a_language_called_no() -> None:
    """The name `no` is the Norwegian language, not false."""
    text = packaged_playbook().replace(
        '        en: "a warm meal', '        no: "et varmt måltid"\n          en: "a warm meal'
    )
    title = playbook_from(text.encode(), where="playbook.yaml").rules_of(WaitRules).of("flight").stages[2].gesture.title
    assert title["no"] == "et varmt måltid"


def test_a_few_lines_that_stand_for_more_than_fits_into_memory() -> None:
    """A file whose aliases would expand to more than fits into memory is rejected without expanding them."""
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for number in range(1, 12):
        bomb += f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n"
    told = faults(bomb)
    assert any("write it out" in line for line in told)
    assert len(told) < 200


def test_more_faults_than_anybody_reads() -> None:
    """The first hundred faults are reported, and how many more there are."""
    told = faults("caps: [" + "1, " * 1_000 + "]")
    assert len(told) == 101
    assert told[-1] == "playbook.yaml: and 905 more"  # five sections that have to be there are missing, too


def test_what_could_not_be_read_is_told_once() -> None:
    """A value that cannot be read is reported once, and not also as of the wrong type."""
    text = PLAIN.replace("share: 0.02", "share: *one_percent")
    assert [line.split(": ", 1)[1] for line in faults(text)] == [
        "holdouts.global.share: *one_percent stands for what is written elsewhere; write it out"
    ]


# -- any content -------------------------------------------------------------------------------------------------------

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates(), st.just([]), st.just({}),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from(["30m", "0s", "31d", "1.50", "default", "EMAIL", "recovery", "recovery/recover", "en"]),
)  # fmt: skip


def places(data: Any, *around: str | int) -> list[tuple[str | int, ...]]:
    """Return the path of every entry in the file."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        inner = list(data.items())
    elif isinstance(data, list):
        inner = list(enumerate(data))
    return [(*around, key) for key, _ in inner] + [
        place for key, value in inner for place in places(value, *around, key)
    ]


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(places(WHOLE)), st.sampled_from(["replace", "remove", "add"]), ODD),
        min_size=1,
        max_size=3,
    )
)
def test_however_it_is_changed_it_is_taken_whole_or_refused_by_line(changes: list[tuple[Any, str, Any]]) -> None:
    """Any change of a good file gives another good file, or faults on existing lines."""
    content: Any = yaml.safe_load(dumped(WHOLE))
    for place, how, value in changes:
        inside = content
        try:
            for part in place[:-1]:
                inside = inside[part]
            if how == "remove":
                del inside[place[-1]]
            elif how == "add" and isinstance(inside, dict):
                inside[str(value)] = value
            else:
                inside[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    text = yaml.safe_dump(content, allow_unicode=True)
    refused = refusal(text.encode())
    if refused is not None:
        assert refused.faults
        for fault in refused.faults:
            assert 1 <= fault.line <= len(text.splitlines())
            assert fault.problem
            assert "\n" not in fault.told("playbook.yaml")


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:- [{&*!'\"#\n\t~<|>%@`?,}]09.\u2028\ud7ff", max_size=80))
def test_whatever_is_in_the_file(content: bytes | str) -> None:
    """Any content is either loaded or rejected with lines."""
    assert faults(content), "no such file is a playbook"
