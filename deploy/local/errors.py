"""What can go wrong with a stack."""


class StackError(Exception):
    """The stack is not what it should be. The message is for the person who asked, log excerpts included."""


class FetchError(StackError):
    """The servers could not be copied. The message holds what Maven said."""


class PrepareError(StackError):
    """A server could not be made ready to start. The message says why."""


class BusyError(StackError):
    """Another `up` or `down` of the same home did not end in time."""
