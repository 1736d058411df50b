"""People of several roles who ask over HTTP, each with a token of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from backend.core.auth import new_secret
from backend.core.models import ApiToken, Membership, Project, User


@dataclass
class Person:
    user: User
    secret: str
    project: Project
    http: Client = field(default_factory=Client)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"data": body, "content_type": "application/json"} if body is not None else {}
        path = f"/api/v1/projects/{self.project.slug}{path}"
        return self.http.generic(method, path, **_encode(given), headers={"Authorization": f"Bearer {self.secret}", **headers})

    def get(self, path: str, status: int = 200) -> Any:
        return self._json(self.ask("GET", path), status)

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        return self._json(self.ask("POST", path, {} if body is None else body, **headers), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._json(self.ask("PUT", path, body), status)

    @staticmethod
    def _json(answer: Any, status: int) -> Any:
        assert answer.status_code == status, (answer.status_code, answer.content[:2000])
        return answer.json() if answer.content else None


def _encode(given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "data": json.dumps(given["data"])} if given else {}


def person(project: Project, role: str, email: str = "") -> Person:
    user = User.objects.create_user(email or f"{role}@{project.slug}.example", name=role.capitalize())
    Membership.objects.create(project=project, user=user, role=role)
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=user, name="test", token_hash=digest, prefix=prefix)
    return Person(user, secret, project)
