"""`careline playbook`: check, show and compare a playbook file before it is in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli.exits import Exit, ended, explained
from processors.cli.playbook_page import show_changes, show_playbook
from processors.journey.playbook import Playbook
from processors.language import canonical
from processors.playbook.apart import read_apart
from processors.playbook.faults import PlaybookRefused, field_of
from processors.playbook.languages import missing, named_locales
from processors.playbook.loading import PACKAGED, read_playbook
from processors.playbook.packaged import packaged_playbook
from processors.playbook.plain import as_data, changes
from processors.policies.registry import names
from processors.settings import Settings
from processors.terminal import Screen, say, say_json
from streams.errors import SettingsError

app = typer.Typer(help="The playbook, which tunes care: check, show, compare.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The file; default: CARELINE_PLAYBOOK, or the packaged one.")
]


@app.command()
def check(
    file: File = None,
    locale: Annotated[
        str | None, typer.Option(help="Only this language, BCP 47, such as pt-BR; default: all in the file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a playbook file: print every mistake by line and field, and what is missing in each language.

    A letter is in one language: if a part of it is missing, the whole letter is written in the default language.

    Exit codes: 0 it is valid, 1 it would be refused or something is missing in --locale, 2 it cannot be read or a
    setting is wrong.

    Example: careline playbook check playbook.yaml --locale pt-BR
    """
    if locale is not None and canonical(locale) is None:
        raise ended(f"--locale {locale}: unknown language; write de or pt-BR", Exit.WRONG)
    with explained():
        path = _path(file)
        try:
            playbook = _read(path, read_apart)
        except PlaybookRefused as refused:
            found: dict[str, Any] = {"faults": [fault.plain() for fault in refused.faults]}
            if as_json:
                say_json({"file": str(path), "ok": False} | found)
            else:
                say(str(refused))
            raise typer.Exit(Exit.FAILED) from None
    data = as_data(playbook)
    lacking = {tag: [field_of(place) for place, _ in missing(data, tag)] for tag in _languages(data, locale)}
    lacking = {tag: fields for tag, fields in lacking.items() if fields}
    if as_json:
        said = {"file": str(path), "ok": True, "version": playbook.version, "faults": [], "missing": lacking}
        say_json(said)
    else:
        _show_check(path, playbook, lacking)
    if locale is not None and lacking:
        raise typer.Exit(Exit.FAILED)


def _languages(data: Mapping[str, Any], locale: str | None) -> list[str]:
    return named_locales(data) if locale is None else [canonical(locale) or locale]


def _show_check(path: Path, playbook: Playbook, lacking: Mapping[str, Sequence[str]]) -> None:
    say(f"{path}: version {playbook.version}, all is well.")
    for tag, fields in lacking.items():
        say(f"Missing in {tag}; letters that need it are written in {playbook.default_locale}:")
        for field in fields:
            say(f"  {field}")
    if off := [policy for policy in names() if policy not in as_data(playbook)]:
        say(f"Switched off because they have no section: {', '.join(off)}.")


@app.command()
def show(file: File = None, as_json: Json = False) -> None:
    """Show the whole content of a playbook, with its version.

    Exit codes: 0 shown, 2 the file has mistakes or cannot be read.

    Example: careline playbook show
    """
    with explained():
        path = _path(file)
        playbook = _read(path)
    if as_json:
        say_json({"file": str(path), "version": playbook.version, **as_data(playbook)})
    else:
        show_playbook(playbook, path, Screen())


@app.command()
def default() -> None:
    """Print the default playbook, with every policy that is installed: the file to begin your own with.

    Exit codes: 0 printed, 2 a policy cannot be loaded.

    Example: careline playbook default > playbook.yaml
    """
    with explained():
        text = packaged_playbook()
    say(text.removesuffix("\n"))


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="The present playbook.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="The new playbook.")],
    as_json: Json = False,
) -> None:
    """Show field by field how B differs from A, regardless of formatting.

    Exit codes: 0 they are equal, 1 they differ, 2 a file has mistakes or cannot be read.

    Example: careline playbook diff playbook.yaml playbook-new.yaml
    """
    with explained():
        before, after = _read(old), _read(new)
    found = changes(before, after)
    if as_json:
        plain = [{"path": one.path, "old": one.old, "new": one.new} for one in found]
        say_json({"old_version": before.version, "new_version": after.version, "changes": plain})
    elif found:
        show_changes(found, before, after, Screen())
    else:
        say(f"{before.version} and {after.version} are equal.")
    if found:
        raise typer.Exit(Exit.FAILED)


def _path(file: Path | None) -> Path:
    return file or Settings.from_environment().playbook or PACKAGED


def _read(path: Path, read: Callable[[Path], Playbook] = read_playbook) -> Playbook:
    try:
        return read(path)
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
