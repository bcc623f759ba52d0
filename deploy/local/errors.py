"""What can go wrong with a stack."""


class StackError(Exception):
    """The stack is not what it should be. The message is for the person who asked, log excerpts included."""


class FetchError(StackError):
    """The servers could not be fetched. The message says from where and why, in one line."""


class PrepareError(StackError):
    """A server could not be made ready to start. The message says why."""


class BusyError(StackError):
    """Another `up` or `down` of the same home did not end in time."""
