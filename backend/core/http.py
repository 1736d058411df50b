"""Where HTTP meets the rest: who is asking, may they, and how an error is told.

Every API function is decorated with exactly one of
    @allow("dataset.read")   project routes: resolves the path's `project` slug, checks the table
    @signed_in               needs a person, no project
    @public                  anyone (sign in, health)
below its ninja route. `allow` refuses at import time an action that the table does not know.
A project the caller is not a member of answers 404, never 403: its name is not given away.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpRequest

from backend.core.errors import NotAllowed, NotFound, SignInNeeded
from backend.core.models import ApiToken, Membership, Project, User
from backend.core.permissions import ACTIONS, may

F = TypeVar("F", bound=Callable[..., Any])


class ApiRequest(HttpRequest):
    """What API functions receive. `project` and `role` are set on project routes only."""

    user: User  # type: ignore[assignment]  # every route but the public ones has a signed-in person
    project: Project
    role: str
    token: ApiToken | None


def authorize(user: Any, slug: str, action: str, token: ApiToken | None = None) -> tuple[Project, str]:
    """The project and the caller's role in it; raises SignInNeeded, NotFound or NotAllowed."""
    if not getattr(user, "is_authenticated", False):
        raise SignInNeeded
    found = (
        Membership.objects.select_related("project")
        .filter(project__slug=slug, project__archived_at=None, user_id=user.pk)
        .first()
    )
    if found is None or (token is not None and token.project_id not in (None, found.project_id)):
        raise NotFound(what="project", name=slug)
    if not may(found.role, action):
        raise NotAllowed(role=found.role, action=action)
    return found.project, found.role


def allow(action: str) -> Callable[[F], F]:
    if action not in ACTIONS:
        raise LookupError(f"“{action}” is not in core/permissions.ACTIONS")

    def wrap(view: F) -> F:
        @functools.wraps(view)
        def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
            request.project, request.role = authorize(request.user, kwargs["project"], action, getattr(request, "token", None))
            return view(request, *args, **kwargs)

        inner.access = action  # type: ignore[attr-defined]  # read by the exhaustive permission test
        return cast(F, inner)

    return wrap


def signed_in(view: F) -> F:
    @functools.wraps(view)
    def inner(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            raise SignInNeeded
        return view(request, *args, **kwargs)

    inner.access = "signed_in"  # type: ignore[attr-defined]  # as above
    return cast(F, inner)


def public(view: F) -> F:
    view.access = "public"  # type: ignore[attr-defined]  # as above
    return view
