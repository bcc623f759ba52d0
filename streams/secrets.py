"""Secrets stay where they are used: addresses without what stands before their host. Pure.

Every message that names an address goes through here, whatever raised it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

_HIDDEN = "***"


def split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """The address without its credentials, the name and the password. All up to the last ``@`` are credentials,
    whatever is in them: somebody pasted a password as it is."""
    scheme, mark, rest = url.partition("://")
    before, at, host = (rest if mark else url).rpartition("@")
    if not at:
        return url, None, None
    name, colon, password = before.partition(":")
    return f"{scheme}{mark}{host}" if mark else host, unquote(name), unquote(password) if colon else None


def without_credentials(url: str) -> str:
    """The address as it can be shown: without credentials, and without a query, which may hold a password too."""
    return split_credentials(url)[0].partition("?")[0]


def redacted(text: str, url: str) -> str:
    """The text of a message that may quote the server's ``url``, as a whole or in parts: without its secrets."""
    plain, name, password = split_credentials(url)
    text = text.replace(url, without_credentials(url))
    _, _, query = plain.partition("?")
    secrets = {password or "", *(part.partition("=")[2] for part in query.split("&"))}
    _, at_mark, _ = url.rpartition("@")
    if at_mark:
        before = url.partition("://")[2].rpartition("@")[0] or url.rpartition("@")[0]
        secrets |= {before, before.partition(":")[2]}
        # what takes a mark in a password for the end of the host quotes a piece of it
        for end in "/?#[]\\":
            secrets |= set(before.partition(":")[2].split(end))
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2 and secret != name:
            text = text.replace(secret, _HIDDEN)
    return text


def apart(values: dict[str, Any], *, url: str, username: str, password: str) -> dict[str, Any]:
    """Settings with the credentials of their ``url`` in fields of their own, unless these are given."""
    given = values.get(url)
    if not isinstance(given, str) or "@" not in given:
        return values
    plain, name, word = split_credentials(given)
    own = {username: name, password: word} if values.get(username) is None else {}
    return {**values, url: plain, **own}
