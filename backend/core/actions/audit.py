"""The append-only log: who did what, to what, from where, and the digests of it before and after.

Values themselves are not kept, only their SHA-256, so that the log may be shown and exported without giving secrets away.
`details` is kept as it is: never put a password, a token or a row of data there.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeAlias

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.http import HttpRequest

from backend.core.context import current_request
from backend.core.models import AuditEntry, Project, User
from backend.core.queries.rows import prepared

Target: TypeAlias = "Model | tuple[str, Any, str]"
COLUMNS = [field.column for field in AuditEntry._meta.concrete_fields if not field.primary_key]
INSERT = f"INSERT INTO core_auditentry ({', '.join(COLUMNS)}) VALUES ({', '.join(f'%({name})s' for name in COLUMNS)}) RETURNING id"  # noqa: S608 - our own column names only
"""Written once, not by the model: nearly every write of the studio makes an entry (as `core.queries.rows` for reads)."""


def record(
    request_or_actor: HttpRequest | User | str | None,
    action: str,
    target: Target | None = None,
    before: Any = None,
    after: Any = None,
    *,
    project: Project | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry, in the caller's transaction.

    `request_or_actor`: the request, or the person, or (a worker, a command) a word for what acted, or None for the studio itself.
    `action`: `noun.verb`, such as `dataset.freeze`. `target`: a model instance, or (type, id, label).
    `project` is taken from the request or the target when not given.
    """
    entry = _entry(request_or_actor, action, target, before, after, project, details)
    values = {name: getattr(entry, name) for name in COLUMNS} | {"details": json.dumps(entry.details, cls=DjangoJSONEncoder)}
    with prepared() as cursor:
        cursor.execute(INSERT, values)
        (entry.pk,) = cursor.fetchone()
    return entry


def row(actor: User, action: str, target: Target, *, after: Any, project: Project, details: dict[str, Any]) -> dict[str, Any]:
    """An entry as the JSON of its row, for a function of the database that writes it with what it tells of."""
    entry = _entry(actor, action, target, None, after, project, details)
    return {name: getattr(entry, name) for name in COLUMNS} | {"at": entry.at.isoformat()}


def _entry(
    request_or_actor: HttpRequest | User | str | None, action: str, target: Target | None, before: Any, after: Any, project: Project | None,
    details: dict[str, Any] | None,
) -> AuditEntry:  # fmt: skip
    if isinstance(request_or_actor, HttpRequest):
        request: HttpRequest | None = request_or_actor
        actor = _person(request_or_actor.user if hasattr(request_or_actor, "user") else None)
        label = ""
    else:
        request = current_request()
        actor = request_or_actor if isinstance(request_or_actor, User) else None
        label = request_or_actor if isinstance(request_or_actor, str) else ""
    token = getattr(request, "token", None)
    if token is not None and actor is not None and token.user_id != actor.pk:
        token = None  # somebody else's token: the request acts in the name of `actor` (a step's starter, say), do not mix the two
    target_type, target_id, target_label = _describe(target)
    project = project or _project(request, target)
    return AuditEntry(
        project_id=project.pk if project is not None else None,
        actor_id=actor.pk if actor is not None else None,
        actor_label=label or (actor.email if actor is not None else "" if request is not None else "headrace"),
        token_id=token.pk if token is not None else None,
        step_run_id=token.step_run if token is not None else None,
        action=action,
        target_type=target_type,
        target_id=target_id,
        target_label=target_label,
        ip=address(request),
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:200] if request is not None else "",
        before_digest=digest(before),
        after_digest=digest(after),
        details=details or {},
    )


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value` (keys sorted, no spaces); empty for None."""
    if value is None:
        return ""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def snapshot(instance: Model, *fields: str) -> dict[str, Any]:
    """The named fields of a model (all concrete ones when none is named), ready for `before=` and `after=`."""
    return {name: getattr(instance, name) for name in fields or [f.attname for f in instance._meta.concrete_fields]}


def address(request: HttpRequest | None) -> str | None:
    """The client's address as the server saw it (uvicorn applies X-Forwarded-For only from proxies it was told to trust)."""
    if request is None:
        return None
    found = request.META.get("REMOTE_ADDR") or None
    return found if found and found[0] in "0123456789abcdefABCDEF:" and ("." in found or ":" in found) else None


def _person(user: Any) -> User | None:
    return user if isinstance(user, User) or getattr(user, "is_authenticated", False) else None


def _describe(target: Target | None) -> tuple[str, str, str]:
    if target is None:
        return "", "", ""
    if isinstance(target, Model):
        return (target._meta.model_name or "")[:40], str(target.pk)[:64], str(target)[:200]
    kind, key, label = target
    return kind[:40], str(key)[:64], str(label)[:200]


def _project(request: HttpRequest | None, target: Target | None) -> Project | None:
    if (found := getattr(request, "project", None)) is not None:
        return found  # type: ignore[no-any-return]  # set by core.http on project routes
    if isinstance(target, Project):
        return target
    return getattr(target, "project", None)
