"""Where HTTP meets the rest: who is asking, may they, and how an error is told.

Every API function is decorated with exactly one of
    @allow("dataset.read")   project routes: resolves the path's `project` slug, checks the table
    @signed_in               needs a person, no project
    @in_person               needs a person at a browser: no API token may do it (it would outlive or exceed the token)
    @administrator           needs a person at a browser who looks after the studio itself (its hosts): `User.is_staff`
    @public                  anyone (sign in, health)
below its ninja route. `allow` refuses at import time an action that the table does not know.
The check runs before the input is read, so what a stranger sends is never even parsed.
A project the caller is not a member of answers 404, never 403: its name is not given away.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from django.http import HttpRequest
from ninja.decorators import decorate_view
from ninja.operation import Operation

from backend.core.errors import AdministratorNeeded, NotAllowed, NotFound, SignInNeeded, TokenNotEnough
from backend.core.models import ApiToken, Project, User
from backend.core.permissions import ACTIONS, may
from backend.core.queries import who

F = TypeVar("F", bound=Callable[..., Any])
READS = ("GET", "HEAD", "OPTIONS")


class Access(NamedTuple):
    """What a route asks for: an action of the table or one of the words above; and the project in its path."""

    needs: str
    project: str


class ApiRequest(HttpRequest):
    """What API functions receive. `project` and `role` are set on project routes only."""

    user: User  # type: ignore[assignment]  # every route but the public ones has a signed-in person
    project: Project
    role: str
    token: ApiToken | None
    access: Access
    membership: tuple[Project, str] | None
    """What `who.membership` says of the caller; set only where it was asked together with their token."""
    operation: Operation


def authorize(user: Any, slug: str, action: str, token: ApiToken | None = None) -> tuple[Project, str]:
    """The project and the caller's role in it; raises SignInNeeded, NotFound or NotAllowed."""
    if not getattr(user, "is_authenticated", False):
        raise SignInNeeded
    return permitted(who.membership(user.pk, slug), slug, action, token)


def permitted(found: tuple[Project, str] | None, slug: str, action: str, token: ApiToken | None) -> tuple[Project, str]:
    """The same for a `who.membership` that is known; raises NotFound or NotAllowed."""
    if found is None or not _reaches(token, found[0]):
        raise NotFound(what="project", name=slug)
    project, role = found
    if not may(role, action):
        raise NotAllowed(role=role, action=action)
    return project, role


def _reaches(token: ApiToken | None, project: Project) -> bool:
    """A token bound to a project reaches only that one; a step's token without a project reaches nothing."""
    if token is None:
        return True
    return token.project_id == project.pk or (token.project_id is None and token.step_run is None)


def check(request: ApiRequest) -> None:
    """Apply the route's `access`; called once per request by `core.auth`, as soon as it is known who asks."""
    needs, token = request.access.needs, getattr(request, "token", None)
    if needs == "public":
        return
    if not request.user.is_authenticated:
        raise SignInNeeded
    if needs in ("in_person", "administrator"):
        if token is not None:
            raise TokenNotEnough
        if needs == "administrator" and not request.user.is_staff:
            raise AdministratorNeeded
    elif needs == "signed_in":
        if token is not None and (token.project_id or token.step_run) and request.method not in READS:
            raise TokenNotEnough
    elif hasattr(request, "membership"):
        request.project, request.role = permitted(request.membership, request.access.project, needs, token)
    else:
        request.project, request.role = authorize(request.user, request.access.project, needs, token)


def _guard(view: F, needs: str) -> F:
    @functools.wraps(view)
    def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
        if getattr(request, "access", None) is None:  # a route declared without our authentication: check here all the same
            request.access = Access(needs, kwargs.get("project", ""))
            check(request)
        return view(request, *args, **kwargs)

    def announce(run: Callable[..., Any]) -> Callable[..., Any]:
        operation = cast(Any, inspect.unwrap(run)).__self__

        @functools.wraps(run)
        def announced(request: ApiRequest, **kwargs: Any) -> Any:
            request.access, request.operation = Access(needs, kwargs.get("project", "")), operation
            return run(request, **kwargs)

        return announced

    inner.access = needs  # type: ignore[attr-defined]  # read by the exhaustive permission test and the OpenAPI document
    return cast(F, decorate_view(announce)(inner))


def allow(action: str) -> Callable[[F], F]:
    if action not in ACTIONS:
        raise LookupError(f"“{action}” is not in core/permissions.ACTIONS")
    return functools.partial(_guard, needs=action)


def signed_in(view: F) -> F:
    return _guard(view, "signed_in")


def in_person(view: F) -> F:
    return _guard(view, "in_person")


def administrator(view: F) -> F:
    return _guard(view, "administrator")


def public(view: F) -> F:
    return _guard(view, "public")
