"""Who is asking, tokens, and what this server is."""

from __future__ import annotations

from typing import Any

from backend.core.auth import PREFIX
from backend.core.errors import InvalidInput, NotFound, SignInNeeded
from backend.core.models import Membership, User
from backend.labelstudio.auth import access_for, refresh_form, token_of_refresh
from backend.labelstudio.models import Number
from backend.labelstudio.queries.shapes import user_out
from backend.labelstudio.queries.subjects import PERSON, number, numbers
from backend.labelstudio.routes import Call, route
from backend.labelstudio.version import version_out


@route("GET", "version/", "public")
def get_version(call: Call) -> Any:
    return version_out()


@route("GET", "health/", "public")
def get_health(call: Call) -> Any:
    return {"status": "UP"}


@route("POST", "token/refresh/", "public")
def refresh(call: Call) -> Any:
    """A refresh token of ours, or a token itself, for an access token that lives minutes."""
    token = token_of_refresh(call.fields.get("refresh"))
    if token is None:
        raise SignInNeeded(hint="The refresh token is not good, or no longer.")
    return {"access": access_for(token)}


@route("POST", "token/", "signed_in")
def refresh_token(call: Call) -> Any:
    """The caller's own token in the shape of a refresh token: for clients that want a JWT. It is no other token."""
    secret = call.request.headers.get("Authorization", "").partition(" ")[2].strip()
    if not secret.startswith(PREFIX):
        raise InvalidInput(message="Ask with the token itself.", hint="Authorization: Token hr_…")
    return 201, {"token": refresh_form(secret, call.token), "created_at": call.token.created_at, "expires_at": call.token.expires_at}


@route("GET", "current-user/whoami/", "signed_in")
@route("GET", "current-user/", "signed_in")
def who_am_i(call: Call) -> Any:
    return user_out(call.user, number(PERSON, call.user.pk))


@route("GET", "users/", "signed_in")
def list_users(call: Call) -> Any:
    """Everybody whom the caller meets in a project."""
    people = _met(call)
    known = numbers(PERSON, [p.pk for p in people])
    return [user_out(p, known[p.pk]) for p in people]


@route("GET", "users/<person>/", "signed_in")
def get_user(call: Call) -> Any:
    n = call.parts["person"]
    target = Number.objects.filter(pk=n, kind=PERSON).values_list("target", flat=True).first()
    found = next((p for p in _met(call) if p.pk == target), None)
    if found is None:
        raise NotFound(what="user", name=str(n))
    return user_out(found, n)


def _met(call: Call) -> list[User]:
    mine = Membership.objects.filter(user=call.user, project__archived_at=None)
    if call.token.project_id or call.token.step_run:
        mine = mine.filter(project=call.token.project_id)
    rows = User.objects.filter(memberships__project__in=mine.values("project")).distinct().order_by("date_joined")
    return list(rows) or [call.user]
