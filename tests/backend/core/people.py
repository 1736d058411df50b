"""People and clients for the tests of every app: one member of each role, a stranger, and someone not signed in."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from backend.core.auth import new_secret
from backend.core.models import ApiToken, Membership, Project, Role, User

PASSWORD = "correct horse battery"


def user(email: str = "ada@example.com", password: str | None = None) -> User:
    return User.objects.create_user(email, password, name=email.split("@")[0].title())


def project(slug: str = "wine", **members: User) -> Project:
    """`project(owner=ada, viewer=bob)`"""
    made = Project.objects.create(slug=slug, name=slug.title())
    for role, person in members.items():
        Membership.objects.create(project=made, user=person, role=Role(role))
    return made


def token(person: User, **fields: Any) -> str:
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=person, name="test", prefix=prefix, token_hash=digest, **fields)
    return secret


class Api:
    """`Api(person).post("/projects", {...})`; `.status` and `.body` of the last answer. With `token=` as a script would."""

    def __init__(self, person: User | None = None, *, token: str | None = None, raises: bool = True, csrf: bool = False):
        self.client = Client(raise_request_exception=raises, enforce_csrf_checks=csrf)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if person is not None:
            self.client.force_login(person)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method.upper(), f"/api/v1{path}", headers={**self.headers, **headers}, **data)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer's JSON; fails with what the studio said when it is an error."""
        answer = self(method, path, body, **headers)
        assert answer.status_code < 300, (answer.status_code, answer.content)
        return answer.json() if answer.content else None

    def error(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """The error's JSON; fails when the answer has another status."""
        answer = self(method, path, body, **headers)
        assert answer.status_code == status, (answer.status_code, answer.content)
        return answer.json()["error"]  # type: ignore[no-any-return]
