"""Removes credentials from addresses, so that secrets do not appear in messages and logs. Pure.

Every message that names an address passes through here, whatever raised it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

_HIDDEN = "***"


def split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """Return the address without its credentials, the user name, and the password. Everything up to the last ``@``
    counts as credentials, because people paste passwords without escaping them."""
    scheme, mark, rest = url.partition("://")
    before, at, host = (rest if mark else url).rpartition("@")
    if not at:
        return url, None, None
    name, colon, password = before.partition(":")
    return f"{scheme}{mark}{host}" if mark else host, unquote(name), unquote(password) if colon else None


def without_credentials(url: str) -> str:
    """Return the address without credentials, and without its query, which may contain a password too."""
    return split_credentials(url)[0].partition("?")[0]


def redacted(text: str, url: str) -> str:
    """Return a message without the secrets of ``url``, which it may quote as a whole or in parts."""
    plain, name, password = split_credentials(url)
    text = text.replace(url, without_credentials(url))
    _, _, query = plain.partition("?")
    secrets = {password or "", *(part.partition("=")[2] for part in query.split("&"))}
    _, at_mark, _ = url.rpartition("@")
    if at_mark:
        before = url.partition("://")[2].rpartition("@")[0] or url.rpartition("@")[0]
        secrets |= {before, before.partition(":")[2]}
        # a parser that takes such a character in a password for the end of the host quotes a part of the password
        for end in "/?#[]\\":
            secrets |= set(before.partition(":")[2].split(end))
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2 and secret != name:
            text = text.replace(secret, _HIDDEN)
    return text


def apart(values: dict[str, Any], *, url: str, username: str, password: str) -> dict[str, Any]:
    """Return the settings with the credentials of their ``url`` moved to separate fields, unless those are set."""
    given = values.get(url)
    if not isinstance(given, str) or "@" not in given:
        return values
    plain, name, word = split_credentials(given)
    own = {username: name, password: word} if values.get(username) is None else {}
    return {**values, url: plain, **own}
