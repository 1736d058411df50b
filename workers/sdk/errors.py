"""The errors that a step may end with, told apart by what must happen next.

`StepError` is the user's to mend and is never retried; `Cancelled` ends the attempt quietly; any other exception is a crash,
which the engine retries as the step's policy says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class Followed(BaseException):
    """Raised in all but the first of the processes that train together, when that is done: the first goes on alone. Not to be caught."""


class ParameterProblem(TypedDict):
    """One parameter that is not right: which, what was wrong, what would be right."""

    field: str
    message: str
    expected: str


class StepError(Exception):
    """The step cannot succeed as it is set up. `message` says what is wrong, `hint` what to change, `field` which parameter."""

    def __init__(self, message: str, hint: str = "", field: str | None = None):
        super().__init__(message)
        self.message, self.hint, self.field = message, hint, field

    def __reduce__(self) -> tuple[type[StepError], tuple[str, str, str | None]]:
        return (StepError, (self.message, self.hint, self.field))


class ParameterError(StepError):
    """One or more parameters of a step are not right. `problems` names each."""

    def __init__(self, component: str, problems: Sequence[ParameterProblem]):
        self.component, self.problems = component, list(problems)
        first = self.problems[0]
        told = "; ".join(f"{p['field']}: {p['message']}" for p in self.problems)
        super().__init__(f"{component}: {told}", hint=f"Expected {first['expected']}." if first["expected"] else "", field=first["field"])

    def __reduce__(self) -> tuple[type[ParameterError], tuple[str, list[ParameterProblem]]]:  # type: ignore[override]
        return (ParameterError, (self.component, self.problems))


class Cancelled(Exception):
    """The run was cancelled; the step stops where it is."""


class ComponentDefinitionError(TypeError):
    """A component's signature or docstring is not complete. Names the function and the parameter."""
