"""The OpenAPI document is exact for every app: each operation answers a right request as the document says, and schemathesis, which
makes requests from the document, good and bad, about things that are really there, finds no answer that it does not allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from backend.config.api import api
from backend.core.models import Project
from tests.backend.config.furnish import GRAPH, YAML, Furnished, furnish
from tests.backend.people import person

document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder))
schema = schemathesis.openapi.from_dict(document)
schema.app = WSGIHandler()
schema.config.generation.with_security_parameters = False  # who asks is said below
schema.config.generation.allow_x00 = False  # PostgreSQL keeps no NUL; JSON Schema cannot say so
HERE = "/projects/{project}"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def furnished(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Made once, inside a transaction that is rolled back at the end; each test is a savepoint within it."""
    from django.conf import settings as django_settings

    from backend.deployments import actions

    folder = tmp_path_factory.mktemp("openapi")
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(django_settings, "ARTIFACT_URL", str(folder / "artifacts"))
        patch.setattr(django_settings, "PREDICTOR_URL", "http://127.0.0.1:9")
        patch.setattr(actions, "WAIT_S", 0)  # there is no predictor here to wait for
        patch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)  # a request must not end the transaction
        with transaction.atomic():
            owner = person(Project.objects.create(slug="lab", name="Lab"), "owner")
            yield furnish(owner, folder)
            transaction.set_rollback(True)


def right(furnished: Furnished) -> dict[str, list[Json]]:
    """By operation, requests that must be answered with success: what of path, query and body differs from the usual."""
    at = furnished.paths
    kinds = [{"artifact_id": one} for one in furnished.artifacts.values()]
    shapes = {"dataset": "shapes"}
    draft = {"number": "2"}
    column = {"name": "temp", "type": "text", "nullable": True, "format": ""}
    return {
        "GET /artifacts/{artifact_id}": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/preview": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/download": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/files/{path}": [
            {"path": {"artifact_id": furnished.artifacts["Model"]}},
            {"path": {"artifact_id": furnished.artifacts["Model"], "path": "model.onnx"}},
            {"path": {"artifact_id": furnished.artifacts["Images"], "path": "1"}},
            {"path": {"artifact_id": furnished.artifacts["Images"], "path": "1"}, "query": {"thumbnail": True}},
        ],
        "GET /lineage/{node_type}/{node_id}": [{}, {"path": {"node_type": "artifact", "node_id": at["artifact_id"]}}],
        "POST /uploads": [{"body": {"filename": "a.csv", "size": 4, "name": "New", "options": {"delimiter": ";"}}}],
        "PUT /uploads/{upload_id}/chunks": [{"query": {"offset": 3}, "body": b"\n1,2\n"}],
        "POST /uploads/{upload_id}/complete": [{"before": ("PUT", f"/uploads/{furnished.upload}/chunks?offset=3", b"\n1,2\n")}],
        "GET /datasets": [{}, {"query": {"search": "weather", "limit": 1}}, {"query": {"deleted": True}}],
        "PATCH /datasets/{dataset}": [{"body": {"name": "Weather of Delft", "licence": "CC0"}}],
        "POST /datasets/{dataset}/restore": [{"before": ("DELETE", "/datasets/weather", None)}],
        "GET /datasets/{dataset}": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}": [{}, {"path": draft}, {"path": shapes}],
        "PUT /datasets/{dataset}/versions/{number}/columns": [{"path": draft, "body": {"columns": [column]}}],
        "POST /datasets/{dataset}/versions/{number}/freeze": [{"path": draft, "body": {"note": "right"}}],
        "GET /datasets/{dataset}/versions/{number}/manifest": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}/rows": [
            {},
            {"path": draft, "query": {"search": "delft", "sort": "-temp", "filter": "temp > 3", "limit": 2}},
        ],
        "GET /datasets/{dataset}/versions/{number}/items": [{"path": shapes}, {"path": shapes, "query": {"label": "a", "search": "2"}}],
        "GET /datasets/{dataset}/versions/{number}/items/{index}/file": [
            {"path": shapes},
            {"path": shapes, "query": {"thumbnail": True}},
        ],
        "GET /datasets/{dataset}/versions/{number}/profile": [{}, {"path": draft}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}/download": [
            *({"query": {"format": f}} for f in ("csv", "parquet", "jsonl")),
            {"path": draft, "query": {"format": "parquet"}},
            {"path": shapes, "query": {"format": "zip"}},
        ],
        "POST /pipelines/check": [{"body": GRAPH}],
        "POST /pipelines/parse": [{"body": {"yaml": YAML}}],
        "GET /pipelines": [{}, {"query": {"search": "tides", "limit": 1}}, {"query": {"deleted": True}}],
        "POST /pipelines": [{"body": {"name": "A"}}, {"body": {"name": "B", "template": "bikes"}}, {"body": {"name": "C", "yaml": YAML}}],
        "POST /pipelines/import": [{"body": {"yaml": YAML}}, {"body": {"yaml": YAML, "slug": "tides"}}],
        "PATCH /pipelines/{pipeline}": [{"body": {"description": "of the sea"}}],
        "POST /pipelines/{pipeline}/restore": [{"before": ("DELETE", "/pipelines/tides", None)}],
        "PUT /pipelines/{pipeline}/draft": [{"body": {"base": "now", "graph": GRAPH}}],
        "POST /pipelines/{pipeline}/publish": [{"body": {"note": ""}}],
        "GET /pipelines/{pipeline}/yaml": [{}, {"query": {"version": 1}}],
        "GET /runs": [
            *({"query": {"sort": sort}} for sort in ("created", "-duration", "number", "metric:score")),
            {"query": {"status": "succeeded", "pipeline": "tides", "search": "#1", "limit": 1}},
        ],
        "POST /runs": [{"body": {"pipeline": "tides", "version": 1, "parameters": {"split": {"test_share": 0.3}}}}],
        "GET /runs/compare": [{"query": {"ids": f"{at['run_id']},{at['queued_run']}"}}],
        "GET /runs/{run_id}": [{}, {"path": {"run_id": at["queued_run"]}}],
        "POST /runs/{run_id}/cancel": [{"path": {"run_id": at["queued_run"]}}],
        "POST /runs/{run_id}/rerun": [{"body": {"parameters": {}, "use_cache": False}}],
        "GET /runs/{run_id}/logs": [{}, {"query": {"step": "read", "attempt": 1, "search": "line 1"}}],
        "GET /runs/{run_id}/metrics": [{}, {"query": {"step": "read", "max_points": 10}}],
        "POST /models": [{"body": {"model": "Petals", "artifact": at["model_digest"], "parity": {"largest_difference": 0}}}],
        "GET /models": [{}, {"query": {"search": "flow"}}],
        "PATCH /models/{model}": [{"body": {"description": "of iris"}}],
        "PUT /models/{model}/aliases/{alias}": [{"body": {"version": 2}}, {"path": {"alias": "new"}, "body": {"version": 1}}],
        "POST /endpoints": [{"body": {"model": "flowers@champion", "endpoint": "other", "name": "Other"}}],
        "POST /endpoints/{endpoint}/restore": [{"before": ("DELETE", "/endpoints/flowers", None)}],
        "POST /endpoints/{endpoint}/rollback": [{"body": {"deployment": at["deployment"]}}, {"body": {}}],
        "GET /endpoints/{endpoint}/predictions": [{}, {"query": {"limit": 1}}],
        "GET /endpoints/{endpoint}/traffic": [{}, {"query": {"minutes": 60}}],
    }


ALONE = {"POST /endpoints/{endpoint}/predict"}
"""Needs a predictor: `tests/infra/test_client_commands.py` holds its answer against this document."""


def label_of(case: schemathesis.Case) -> str:
    return str(case.operation.label).replace("/api/v1/projects/{project}", "").replace("/api/v1", "")


OPERATIONS = [
    (method.upper(), path)
    for path, operations in document["paths"].items()
    for method, operation in operations.items()
    if operation["tags"] != ["core"]
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_right_request_is_answered_as_the_document_says(method: str, path: str, furnished: Furnished) -> None:
    label = f"{method} {path.replace('/api/v1/projects/{project}', '')}"
    if label in ALONE:
        return
    owner = furnished.owner
    for given in right(furnished).get(label, [{}]):
        with transaction.atomic():
            if "before" in given:
                before, there, data = given["before"]
                answer = owner.http.generic(
                    before, f"/api/v1/projects/lab{there}", data or b"", content_type="application/octet-stream",
                    headers={"Authorization": f"Bearer {owner.secret}"},
                )  # fmt: skip
                assert answer.status_code < 300, answer.content
            names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
            body = given.get("body")
            if isinstance(body, dict) and body.get("base") == "now":
                body = {**body, "base": owner.get("/pipelines/tides/draft")["base"]}
            case = schema[path][method].Case(
                path_parameters={name: {**furnished.paths, **given.get("path", {})}[name] for name in names},
                query=given.get("query", {}),
                **({"body": body} if body is not None else {}),
                media_type=None if body is None else "application/octet-stream" if isinstance(body, bytes) else "application/json",
            )
            answer = case.call(headers={"Authorization": f"Bearer {owner.secret}"})
            assert answer.status_code < 300, (given, answer.status_code, answer.text[:1000])
            case.validate_response(answer, excluded_checks=[ignored_auth])  # it compares with what it would have sent
            transaction.set_rollback(True)


BY_MEANING = {
    "POST /uploads": "the file's ending says what it is, and it is not empty",
    "PUT /uploads/{upload_id}/chunks": "the chunk is not empty",
    "GET /datasets/{dataset}/versions/{number}/rows": "the sorting and the filter name columns",
    "PUT /datasets/{dataset}/versions/{number}/columns": "the columns are those of the version",
    "GET /datasets/{dataset}/versions/{number}/download": "a zip is of images",
    "POST /pipelines": "the YAML, the template's name",
    "POST /pipelines/parse": "the YAML",
    "POST /pipelines/import": "the YAML",
    "GET /runs": "the sorting",
    "GET /runs/compare": "the ids",
    "POST /models": "the artifact, and how far the published model differs from the trained one",
    "PUT /models/{model}/aliases/{alias}": "the alias",
    "DELETE /models/{model}/aliases/{alias}": "the alias",
    "POST /endpoints": "the model's version",
}
"""Where input that has the right shape may still be refused, and which part of it is."""


def ask(case: schemathesis.Case, furnished: Furnished) -> None:
    """About things that are there, as far as the case is not about an address that is wrong on purpose."""
    label = label_of(case)
    there = {**furnished.paths, **right(furnished).get(label, [{}])[0].get("path", {})}
    wrong_address = case.meta is not None and (
        (part := case.meta.components.get(ParameterLocation.PATH)) is not None and part.mode.is_negative
    )
    for name, value in (case.path_parameters or {}).items():
        if name == "project" or (not wrong_address and len(str(value)) % 4):
            case.path_parameters[name] = there.get(name, value)
    excluded = []
    if label in BY_MEANING or "cursor" in (case.query or {}):  # a cursor is what the page before said, nothing else
        excluded.append(positive_data_acceptance)
    if label in ALONE:
        excluded.append(not_a_server_error)  # 503: there is no predictor here
    case.call_and_validate(headers={"Authorization": f"Bearer {furnished.owner.secret}"}, excluded_checks=excluded)


everything = schema.exclude(tag="core").parametrize()
few = settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.django_db
@everything
@few
def test_whatever_is_asked_is_answered_as_the_document_says(case: schemathesis.Case, furnished: Furnished) -> None:
    ask(case, furnished)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.django_db
@everything
@many
def test_whatever_is_asked_at_length_is_answered_as_the_document_says(case: schemathesis.Case, furnished: Furnished) -> None:
    ask(case, furnished)
