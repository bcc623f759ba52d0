"""Why an outreach did not leave, named by what the dispatcher may do next."""

from __future__ import annotations

from datetime import timedelta

from streams.errors import CarelineError


class ChannelError(CarelineError):
    """A provider did not take the letter. ``detail`` is what it said, for the ledger; never the letter itself."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Refused(ChannelError):
    """It did not leave and never will: a bad address, or a final no."""


class TryLater(ChannelError):
    """It certainly did not leave; later it may. ``retry_after`` is the provider's own wish, if it had one."""

    def __init__(self, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Ambiguous(ChannelError):
    """Nobody knows whether it left: the answer was lost. Send again only where the channel is idempotent."""


class TemplateFault(CarelineError):
    """A letter cannot be written. Raised before anything is sent; ``variable`` is the one at fault, if it is one."""

    def __init__(self, template: str, problem: str, *, variable: str | None = None) -> None:
        super().__init__(f"{template}: {problem}")
        self.template = template
        self.variable = variable
        self.problem = problem
