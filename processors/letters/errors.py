"""What is wrong with a letter before anybody has sent it."""

from __future__ import annotations

from streams.errors import CarelineError


class TemplateFault(CarelineError):
    """A letter cannot be written. Raised before anything is sent; ``variable`` is the one at fault, if it is one."""

    def __init__(self, template: str, problem: str, *, variable: str | None = None) -> None:
        """``problem`` says where in the letter it is, if it is one place."""
        super().__init__(f"{template}: {problem}")
        self.template = template
        self.variable = variable
        self.problem = problem
