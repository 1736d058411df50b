"""The JSON API at /api/v1: routers put together, authentication, and the one place where errors become answers."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja.errors import HttpError, ValidationError

from backend.artifacts.api import router as artifacts
from backend.config.openapi import Api
from backend.core.api import router as core
from backend.core.auth import SessionOrToken
from backend.core.errors import BadRequest, HeadraceError, InvalidInput, RouteNotFound, TooLarge, Unavailable, WentWrong
from backend.core.middleware import answer, told
from backend.core.parser import StrictParser
from backend.core.renderer import QuickRenderer
from backend.datasets.api import router as datasets
from backend.deployments.api import router as deployments
from backend.labeling.api import router as labeling
from backend.labeling.api_exchange import router as exchange
from backend.labeling.api_quality import router as label_quality
from backend.labeling.api_suggestions import router as label_suggestions
from backend.labelstudio.api.links import router as label_links
from backend.learning.api import router as learning
from backend.pipelines.api import router as pipelines
from backend.registry.api import router as registry
from backend.runs.api import router as runs
from backend.runs.hosts.api import router as hosts
from backend.runs.triggers.api import router as triggers
from backend.similarity.api import router as similarity

log = logging.getLogger("headrace.web")
# No page of documentation (`docs_url`): ninja's loads its scripts from elsewhere, which our policy and a studio without
# internet both refuse. The document itself is at /api/v1/openapi.json.
api = Api(
    title="Headrace",
    version="1",
    urls_namespace="api",
    docs_url=None,
    auth=SessionOrToken(),
    parser=StrictParser(),
    renderer=QuickRenderer(),
)
for router in (
    core, artifacts, datasets, labeling, label_quality, label_suggestions, exchange, label_links, pipelines, runs, triggers, hosts,
    registry, deployments, similarity, learning,
):  # fmt: skip
    api.add_router("", router)


@api.exception_handler(HeadraceError)
def _known(request: HttpRequest, exc: HeadraceError) -> HttpResponse:
    return answer(exc)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    """Pydantic's list as ours: the field's path without ninja's own first parts, and what was wrong."""
    problems: list[Any] = [
        {
            "field": ".".join(str(p) for p in e["loc"] if p not in ("body", "payload", "query", "path", "header")),
            "message": e["msg"],
            "expected": _expected(e),
        }
        for e in exc.errors
    ]
    return answer(
        InvalidInput(message="Some of what was sent is not right.", field=problems[0]["field"] if problems else None, problems=problems)
    )


def _expected(error: dict[str, Any]) -> str:
    """What would be right, where pydantic knows it: the limit, the choices, the pattern."""
    context = error.get("ctx") or {}
    if "expected" in context:
        return str(context["expected"])
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in context.items() if name != "error")


@api.exception_handler(Http404)
def _unknown(request: HttpRequest, exc: Http404) -> HttpResponse:
    return answer(RouteNotFound(path=request.path))


@api.exception_handler(HttpError)
def _ninja(request: HttpRequest, exc: HttpError) -> HttpResponse:
    if isinstance(exc.__cause__, HeadraceError | RequestDataTooBig):  # ninja wraps whatever our parser says about a body
        return api.on_exception(request, exc.__cause__)
    response = answer(told(exc.status_code, request) or InvalidInput(message=str(exc)))
    response.status_code = exc.status_code
    return response


@api.exception_handler(RequestDataTooBig)
def _large(request: HttpRequest, exc: RequestDataTooBig) -> HttpResponse:
    return answer(
        TooLarge(message="The request's body is too large.", hint="At most 20 MB of JSON; files go through an upload, in chunks.")
    )


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(MultiPartParserError)
@api.exception_handler(UnreadablePostError)
def _malformed(request: HttpRequest, exc: Exception) -> HttpResponse:
    """A form without a boundary, a body that breaks off, a path that leads out of a folder."""
    return answer(BadRequest(hint=str(exc)[:200]))


@api.exception_handler(DataError)
def _unstorable(request: HttpRequest, exc: DataError) -> HttpResponse:
    """PostgreSQL refused a value (a number beyond its type, say) that no schema had caught."""
    log.warning("request %s: %s", getattr(request, "id", ""), exc)
    return answer(InvalidInput(message="One of the values cannot be stored.", hint="A number may be too large or a text too long."))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _database_away(request: HttpRequest, exc: Exception) -> HttpResponse:
    log.error("request %s: the database is away: %s", getattr(request, "id", ""), exc)
    return answer(Unavailable(message="The database is away for a moment.", hint="Try again in a few seconds.", retry_after=2))


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, exc: Exception) -> HttpResponse:
    """A mistake of ours: the log gets all of it, the caller the id to find it by. The signal lets the test client raise it."""
    error = WentWrong(request_id=getattr(request, "id", ""))
    log.error("request %s: %s %s", error.details["request_id"], request.method, request.path, exc_info=exc)
    got_request_exception.send(sender=api, request=request)
    return answer(error)
