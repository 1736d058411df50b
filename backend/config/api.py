"""The JSON API at /api/v1: routers put together, authentication, and the one place where errors become answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from backend.artifacts.api import router as artifacts
from backend.core.api import router as core
from backend.core.auth import SessionOrToken
from backend.core.errors import HeadraceError, InvalidInput
from backend.datasets.api import router as datasets
from backend.deployments.api import router as deployments
from backend.pipelines.api import router as pipelines
from backend.registry.api import router as registry
from backend.runs.api import router as runs

api = NinjaAPI(title="Headrace", version="1", urls_namespace="api", docs_url="/docs", auth=SessionOrToken())
for router in (core, artifacts, datasets, pipelines, runs, registry, deployments):
    api.add_router("", router)


@api.exception_handler(HeadraceError)
def _known(request: HttpRequest, exc: HeadraceError) -> HttpResponse:
    return api.create_response(request, exc.as_json(), status=exc.status)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    """Pydantic's list as ours: the field's path without ninja's own first parts, and what was wrong."""
    problems: list[Any] = [
        {"field": ".".join(str(p) for p in e["loc"] if p not in ("body", "payload", "query", "path")), "message": e["msg"], "expected": ""}
        for e in exc.errors
    ]
    error = InvalidInput(message="Some of what was sent is not right.", field=problems[0]["field"] if problems else None, problems=problems)
    return api.create_response(request, error.as_json(), status=422)
