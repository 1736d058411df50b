"""Errors a person or a script can act on.

One class is one kind of error: its docstring is the message (a `str.format` template over its
fields), its attributes say how HTTP tells it. Raise them from actions and queries; `api.py` files
never build error responses themselves: `backend.core.http` translates once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypedDict


class Problem(TypedDict, total=False):
    """One thing wrong with the input: where, what, and what would be right."""

    field: str
    message: str
    expected: str


class HeadraceError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = ""

    def __init__(self, *, field: str | None = None, hint: str = "", problems: Iterable[Problem] = (), **details: Any):
        self.field, self.hint, self.problems, self.details = field, hint, list(problems), details
        super().__init__(inspect.cleandoc(type(self).__doc__ or "").format_map(_Missing(details)))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")

    def as_json(self) -> dict[str, Any]:
        """The body of the HTTP answer: `{"error": {code, message, field, hint, problems, details}}`."""
        return {
            "error": {
                "code": self.code,
                "message": str(self),
                "field": self.field,
                "hint": self.hint,
                "problems": self.problems,
                "details": {
                    k: v if isinstance(v, int | float | bool | str | list | dict | None) else str(v) for k, v in self.details.items()
                },
            }
        }


class _Missing(dict[str, Any]):
    def __init__(self, values: Mapping[str, Any]):
        super().__init__(values)

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


class NotFound(HeadraceError):
    """There is no {what} “{name}” here, or you may not see it."""

    status = 404


class NotAllowed(HeadraceError):
    """Your role in this project ({role}) may not do this ({action})."""

    status = 403


class SignInNeeded(HeadraceError):
    """Sign in, or send an API token as `Authorization: Bearer …`."""

    status = 401


class TokenNotEnough(HeadraceError):
    """An API token may not do this."""

    status = 403

    def __init__(self, **details: Any):
        super().__init__(hint="Sign in with the browser, or use a token that is not bound to one project.", **details)


class AdministratorNeeded(HeadraceError):
    """Only an administrator of the studio may do this."""

    status = 403


class PageOutOfDate(HeadraceError):
    """The request did not carry this browser's CSRF token."""

    status = 403

    def __init__(self, **details: Any):
        super().__init__(hint="Reload the page; scripts send an API token as `Authorization: Bearer …` instead of a cookie.", **details)


class InvalidInput(HeadraceError):
    """{message}"""

    status = 422


class BadRequest(HeadraceError):
    """The request is not one this studio understands."""


class NotJson(HeadraceError):
    """The body is not JSON."""


class Conflict(HeadraceError):
    """{message}"""

    status = 409


class TooLarge(HeadraceError):
    """{message}"""

    status = 413


class TooManyRequests(HeadraceError):
    """{message}"""

    status = 429

    def __init__(self, *, message: str, retry_after: int, **details: Any):
        super().__init__(message=message, retry_after=retry_after, hint=f"Try again in {retry_after} seconds.", **details)


class Unavailable(HeadraceError):
    """{message}"""

    status = 503


class WrongCredentials(HeadraceError):
    """This e-mail address and password do not belong together."""

    status = 401


class LinkSpent(HeadraceError):
    """This link was used already, has expired, or was never valid."""

    status = 404


class InvitationNeeded(HeadraceError):
    """This studio has its first account; new ones are made from an invitation."""

    status = 403


class InvitationForAnother(HeadraceError):
    """This invitation was sent to another e-mail address than {email}."""

    status = 403


class LastOwner(Conflict):
    """A project keeps at least one owner; make somebody else an owner first."""


class RouteNotFound(HeadraceError):
    """There is nothing at {path}."""

    status = 404


class MethodNotAllowed(HeadraceError):
    """{method} is not possible here; the header `Allow` names what is."""

    status = 405


class WentWrong(HeadraceError):
    """Something went wrong in the studio. Its log says more beside the id {request_id}."""

    status = 500
