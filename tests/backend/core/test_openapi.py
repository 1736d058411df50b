"""The OpenAPI document is exact for `core`: schemathesis makes requests from it, good and bad, and finds no answer it does not allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from backend.config.api import api
from tests.backend.core import people

document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder))
schema = schemathesis.openapi.from_dict(document)
schema.app = WSGIHandler()
schema.config.generation.with_security_parameters = False  # who asks is said below
schema.config.generation.allow_x00 = False  # PostgreSQL keeps no NUL; JSON Schema cannot say so


CSRF = "c" * 32
BY_MEANING = {
    "POST /me/password": "the password",
    "POST /accounts": "the password",
    "POST /password/reset": "the password",
    "GET /projects/{project}/audit": "the cursor",
}
"""Where input that has the right shape may still be refused, and which part of it is."""


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client does: a request must not close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@schema.include(tag="core").parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_core_answers_as_its_document_says(case: schemathesis.Case) -> None:
    from backend.core.models import User

    ada = User.objects.filter(email="ada@example.com").first()
    if ada is None:
        ada = people.user()
        people.project("wine", owner=ada)
    if case.path_parameters and "project" in case.path_parameters:
        case.path_parameters["project"] = "wine"
    excluded = [positive_data_acceptance] if case.operation.label.replace("/api/v1", "") in BY_MEANING else None
    if case.operation.definition.raw["security"] == [{"session": []}]:
        browser = Client()
        browser.force_login(ada)
        cookies = {"headrace_session": browser.cookies["headrace_session"].value, "headrace_csrf": CSRF}
        case.call_and_validate(headers={"X-CSRFToken": CSRF}, cookies=cookies, excluded_checks=[*(excluded or []), ignored_auth])
    else:
        case.call_and_validate(headers={"Authorization": f"Bearer {people.token(ada)}"}, excluded_checks=excluded)
