"""Errors of a stack."""


class StackError(Exception):
    """The stack failed. The message is for the person who ran the command, and includes excerpts of logs."""


class FetchError(StackError):
    """The servers could not be downloaded. The message says from where and why, in one line."""


class PrepareError(StackError):
    """A server could not be prepared to start. The message says why."""


class BusyError(StackError):
    """Another `up` or `down` of the same home did not end in time."""
