"""Errors of `labelstudio`, and every error as Label Studio says it."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse

from backend.core.errors import Conflict, HeadraceError, InvalidInput
from backend.core.ids import new_id
from backend.labelstudio.version import RELEASE


class SeveralProjects(Conflict):
    """You are in several projects of this studio; a script cannot say which one it means."""

    status = 400


class NotItsData(Conflict):
    """The tasks of this project come from the data set “{dataset}”; add data there."""

    status = 400


class NotServed(InvalidInput):
    """This studio does not do this over Label Studio's API."""


class TokenTooNarrow(HeadraceError):
    """This token reads one project only."""

    status = 403


class OnlyInTheBrowser(HeadraceError):
    """Some items of this project have a known answer, which a script could tell from the others; label it in the browser."""

    status = 403


def answer(error: HeadraceError) -> JsonResponse:
    """`{"detail": …, "validation_errors": {field: [message]}}`. What cannot be done is 400 there, where ours says 409 or 422 (its SDK
    would send a 409 again and again)."""
    status = 400 if error.status in (409, 422) else error.status
    said: dict[str, list[str]] = {}
    for problem in error.problems:
        said.setdefault(problem.get("field") or "non_field_errors", []).append(
            _sentence(problem.get("message", ""), problem.get("expected"))
        )
    if status == 400 and not said:
        said[error.field or "non_field_errors"] = [_sentence(str(error), error.hint)]
    body: dict[str, Any] = {
        "id": str(new_id()),
        "status_code": status,
        "version": RELEASE,
        "detail": _sentence(str(error), error.hint),
        "exc_info": None,
    }
    if said:
        body["validation_errors"] = said
    response = JsonResponse(body, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Token"
    if (wait := error.details.get("retry_after")) is not None:
        response["Retry-After"] = str(wait)
    return response


def _sentence(message: str, more: str | None) -> str:
    return f"{message} ({more})" if more and not more.endswith(".") else f"{message} {more}" if more else message
