"""Every operation of the API × every role × a stranger × nobody: the table of `core/permissions` and nothing else decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from backend.config.api import api
from backend.core.models import Role
from backend.core.permissions import ACTIONS, may
from tests.backend.core import people

NOWHERE = {"uuidstr": str(UUID(int=7)), "int": "999", "path": "no/such", "str": "no-such"}
SPECIAL = {"public", "signed_in", "in_person", "administrator"}


def operations() -> Iterator[tuple[str, str, str]]:
    """(method, path with `{…}`, access) of every route of the API."""
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield method, path, getattr(operation.view_func, "access", "")


ALL = list(operations())


def address(path: str, project: str) -> str:
    def fill(found: re.Match[str]) -> str:
        kind, _, name = found[1].rpartition(":")
        return project if name == "project" else NOWHERE[kind or "str"]

    return re.sub(r"\{([^}]+)\}", fill, path)


@pytest.mark.parametrize(("method", "path", "access"), ALL)
def test_every_route_says_who_may(method: str, path: str, access: str) -> None:
    assert access in ACTIONS or access in SPECIAL
    assert ("{project}" in path) == (access in ACTIONS), "project routes are checked against the table, others cannot be"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "access"), [o for o in ALL if o[2] != "public"], ids=lambda v: v if isinstance(v, str) else None
)
def test_who_is_refused_and_how(method: str, path: str, access: str) -> None:
    """With nothing but unknown ids and an empty body: whoever may not do it must be refused before the input is looked at."""
    ours = people.project("ours", owner=people.user("owner-of-ours@example.com"))
    url = address(path, ours.slug)
    body: Any = None if method in ("GET", "DELETE") else {}

    def status(api: people.Api) -> int:
        return int(api(method, url, body).status_code)

    stranger, unknown = people.user("stranger@example.com"), people.token(people.user("token@example.com"))
    assert status(people.Api(raises=False)) == 401
    assert status(people.Api(token=unknown[:-1], raises=False)) == 401
    assert status(people.Api(stranger, raises=False, csrf=True)) in ({403} if method != "GET" or access == "administrator" else {200, 404})
    if access in ACTIONS:
        assert status(people.Api(stranger, raises=False)) == 404
        assert status(people.Api(token=unknown, raises=False)) == 404
        elsewhere = people.project("elsewhere")
        for role in Role:
            member = people.user(f"{role}@example.com")
            ours.memberships.create(user=member, role=role)
            for caller in (people.Api(member, raises=False), people.Api(token=people.token(member), raises=False)):
                found = status(caller)
                if may(role, access):
                    assert found not in (401, 403), f"{role} may {access}, but {method} {path} answered {found}"
                    if url.endswith(ours.slug) and method == "DELETE":
                        ours.archived_at = None
                        ours.save()
                else:
                    assert found == 403, f"{role} may not {access}, but {method} {path} answered {found}"
            assert status(people.Api(token=people.token(member, project=elsewhere), raises=False)) == 404, (
                "a token bound to another project"
            )
            assert status(people.Api(token=people.token(member, step_run=UUID(int=1)), raises=False)) == 404, (
                "a step's token without a project"
            )
    elif access == "administrator":
        keeper = people.user("keeper@example.com")
        keeper.is_staff = True
        keeper.save()
        assert status(people.Api(stranger, raises=False)) == 403, "somebody who does not look after the studio"
        assert status(people.Api(ours.members.get(), raises=False)) == 403, "nor does the owner of a project"
        assert status(people.Api(token=people.token(keeper), raises=False)) == 403, "an administrator's API token"
        assert status(people.Api(keeper, raises=False)) not in (401, 403)
    elif access == "in_person":
        assert status(people.Api(token=unknown, raises=False)) == 403
    else:
        assert status(people.Api(stranger, raises=False)) not in (401, 403)
        bound = people.Api(token=people.token(stranger, project=ours), raises=False)
        assert status(bound) == (200 if method == "GET" else 403), "a token of one project may not act outside of it"
