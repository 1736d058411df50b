"""The OpenAPI document is exact for every app: each operation answers a right request as the document says, and schemathesis, which
makes requests from the document, good and bad, about things that are really there, finds no answer that it does not allow."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from backend.config.api import api
from tests.backend.config.furnish import Furnished, right

document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder))
schema = schemathesis.openapi.from_dict(document)
schema.app = WSGIHandler()
schema.config.generation.with_security_parameters = False  # who asks is said below
schema.config.generation.allow_x00 = False  # PostgreSQL keeps no NUL; JSON Schema cannot say so


SEATED = {
    f"{method} {re.sub(r'[{][a-z]+:', '{', path)}"
    for router in api._get_bound_routers()
    for path, view in router.path_operations.items()
    for operation in view.operations
    for method in operation.methods
    if getattr(operation.view_func, "access", "") == "administrator"
}
"""Need a person at a browser, with a session."""
ALONE = {"POST /endpoints/{endpoint}/predict", "GET /secrets/{name}/value"}
"""Need a predictor (`tests/infra/test_client_commands.py` holds its answer against this document) and a running step
(`tests/workers/engine/test_step_secrets.py`)."""


def signed(label: str, furnished: Furnished, **headers: str) -> dict[str, Any]:
    """How the owner, who is the studio's administrator too, signs this request."""
    if label not in SEATED:
        return {"headers": {"Authorization": f"Bearer {furnished.owner.secret}", **headers}}
    client = Client()
    client.force_login(furnished.owner.user)
    cookies = {"headrace_session": client.cookies["headrace_session"].value, "headrace_csrf": "a" * 32}
    return {"headers": {"X-CSRFToken": "a" * 32, **headers}, "cookies": cookies}


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
    label = f"{method} {path.replace('/api/v1/projects/{project}', '').replace('/api/v1', '')}"
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
            answer = case.call(**signed(label, furnished, **given.get("headers", {})))
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
    "POST /pipelines/check": "a mapped step has a port or values, and what else holds between the parts of a graph",
    "PUT /pipelines/{pipeline}/draft": "the same",
    "POST /pipelines/import": "the YAML",
    "GET /runs": "the sorting",
    "GET /runs/compare": "the ids",
    "POST /datasets/{dataset}/versions/{number}/preview": "the options fit the file",
    "POST /datasets/{dataset}/versions/{number}/reread": "the options fit the file",
    "POST /runs": "the pipeline's own parameters and its steps",
    "POST /runs/{run_id}/rerun": "the same",
    "POST /runs/{run_id}/steps/{step}/decision": "the values that are asked for",
    "POST /code": "the text is one function",
    "POST /code/{code}/versions": "the text is one function",
    "PUT /secrets/{name}": "the value is long enough to be blacked out",
    "GET /cron-times": "the schedule and the time zone",
    "POST /triggers": "the kind, its form, the pipeline's parameters",
    "PATCH /triggers/{trigger}": "as for POST",
    "POST /hooks/{token}": "the signature",
    "POST /hosts/join": "the token",
    "DELETE /hosts/{host_id}": "a host that is gone",
    "POST /label-schemas": "the XML, and that it fits the data set",
    "PATCH /label-schemas/{label_schema}": "together people make one annotation of each item",
    "POST /label-schemas/{label_schema}/versions": "the XML, what annotations use, and the mapping",
    "PUT /label-schemas/{label_schema}/items/{item}/draft": "the result fits the schema",
    "POST /label-schemas/{label_schema}/items/{item}/submit": "the same, and the version",
    "POST /label-schemas/{label_schema}/items/{item}/truth": "the annotation",
    "POST /label-schemas/{label_schema}/items/{item}/comments": "the people it names",
    "POST /label-schemas/{label_schema}/annotations/{annotation}/review": "the verdict, its comment and its result",
    "POST /label-schemas/{label_schema}/assignments": "the people, and what is free",
    "PUT /label-schemas/{label_schema}/quality/settings": "honeypots need a random order",
    "POST /label-schemas/{label_schema}/quality/honeypots": "one of two ways, the items and their answers",
    "GET /label-schemas/{label_schema}/export": "the format is one that fits the schema",
    "GET /label-schemas/{label_schema}/export/check": "the same",
    "POST /label-schemas/{label_schema}/imports": "the same, and the file's ending and size",
    "PUT /label-schemas/{label_schema}/imports/{label_import}/chunks": "the chunk is not empty",
    "PUT /label-schemas/{label_schema}/link": "the address is a public one",
    "POST /label-schemas/{label_schema}/suggestions": "the model answers the schema's question",
    "PUT /label-schemas/{label_schema}/suggestions/on-opening": "the same",
    "PUT /label-schemas/{label_schema}/loop": "the pipeline trains on such data, and the queue is long enough",
    "POST /label-schemas/{label_schema}/auto-accept/passes/{auto_pass}/undo": "it is not undone already",
    "POST /datasets/{dataset}/spaces": "the embedder fits the data, and what it needs is given",
    "GET /datasets/{dataset}/spaces/{space}/near": "an item or words, and that the space knows words",
    "GET /datasets/{dataset}/spaces/{space}/points": "the schema is of this data",
    "GET /datasets/{dataset}/spaces/{space}/clusters": "the same",
    "POST /datasets/{dataset}/spaces/{space}/items": "the same",
    "GET /label-schemas/{label_schema}/duplicates": "the space is of the schema's data",
    "POST /label-schemas/{label_schema}/aside": "the items are in the queue",
    "POST /label-schemas/{label_schema}/bulks": "the result fits the schema, and the version",
    "POST /label-schemas/{label_schema}/bulks/{bulk_id}/undo": "it is not undone already",
    "POST /label-schemas/{label_schema}/doubts": "there are embeddings, and a question with one choice",
    "POST /label-schemas/{label_schema}/doubts/{doubt}": "it is not decided, and the label is one of the question's",
    "PUT /label-schemas/{label_schema}/order": "the column is one of numbers",
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
    if label in SEATED:
        excluded.append(ignored_auth)  # it leaves out the token that is not there
    case.call_and_validate(**signed(label, furnished), excluded_checks=excluded)


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
