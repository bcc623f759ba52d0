"""Errors in a letter, found before it is sent."""

from __future__ import annotations

from streams.errors import CarelineError


class TemplateFault(CarelineError):
    """A letter cannot be rendered. Raised before anything is sent; ``variable`` names the variable at fault, if any."""

    def __init__(self, template: str, problem: str, *, variable: str | None = None) -> None:
        """``problem`` includes the place in the letter, if there is a single one."""
        super().__init__(f"{template}: {problem}")
        self.template = template
        self.variable = variable
        self.problem = problem
