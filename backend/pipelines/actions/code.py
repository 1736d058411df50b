"""Write code: a component with its first version, further versions, delete and restore.

A text is looked at before anything is kept, outside of any transaction: it may take seconds.
"""

from __future__ import annotations

import hashlib

from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.core.actions.audit import record
from backend.core.errors import Conflict, Problem
from backend.core.models import Project, User
from backend.core.queries import unique_slug
from backend.pipelines.errors import InvalidCode
from backend.pipelines.look import Json, look
from backend.pipelines.models import CodeComponent, CodeVersion

MOST = 200_000
"""Bytes of a text."""
RESERVED = {"check", "words"}
"""Words that stand where a slug stands in the API's addresses."""
TRIES = 5


def check_code(source: str) -> Json:
    """What the text is, or what is wrong with it; nothing is kept. `{"spec": … | None, "problems": […]}`."""
    _fits(source)
    return look(source)


def create_code(project: Project, user: User, name: str, source: str, note: str = "") -> CodeVersion:
    """A new component with its first version. Raises InvalidCode with every problem and its line."""
    spec = _spec(source)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                slug = unique_slug(CodeComponent.objects.filter(project=project), name, "code")
                if slug in RESERVED:
                    slug = unique_slug(CodeComponent.objects.filter(project=project), f"{slug} code", "code")
                made: CodeComponent = CodeComponent.objects.create(project=project, slug=slug, name=name.strip() or name, created_by=user)
                record(user, "code.create", ("code", made.pk, made.slug), after=source, project=project)
                return _insert(made, user, source, spec, note, 1)
        except IntegrityError:
            # Another request took the slug between the look and the insert.
            if attempt == TRIES - 1:
                raise Conflict(message=f"There is code named “{name}” already.", field="name", hint="Choose another name.") from None
    raise AssertionError("unreachable")


def publish_code(component: CodeComponent, user: User, source: str, note: str = "") -> CodeVersion:
    """The text as a version. A text that was published before gives the version it got then."""
    if same := _same(component, source):
        return same
    spec = _spec(source)
    with transaction.atomic():
        held = CodeComponent.objects.select_for_update().select_related("project").get(pk=component.pk)
        if same := _same(held, source):
            return same
        newest = held.versions.order_by("-number").values_list("number", flat=True).first() or 0
        held.save(update_fields=["updated_at"])
        return _insert(held, user, source, spec, note, newest + 1)


def delete_code(component: CodeComponent, user: User) -> None:
    """Soft: runs keep the text they ran, and it can be restored. Deleting twice is deleting once."""
    _mark(component, user, deleted=True)


def restore_code(component: CodeComponent, user: User) -> None:
    _mark(component, user, deleted=False)


def _fits(source: str) -> None:
    if len(source.encode()) > MOST:
        raise InvalidCode(message=f"it is longer than {MOST // 1000} kB.", field="source", hint="Put data into a data set.")


def _spec(source: str) -> Json:
    found = check_code(source)
    if found["spec"] is not None:
        spec: Json = found["spec"]
        return spec
    problems: list[Problem] = [
        {"field": f"source.{p['line']}" if p["line"] else "source", "message": p["message"], "expected": p["hint"]}
        for p in found["problems"]
    ]
    first = found["problems"][0]
    where = f"line {first['line']}: " if first["line"] else ""
    raise InvalidCode(message=where + first["message"], field="source", hint=first["hint"], problems=problems)


def _same(component: CodeComponent, source: str) -> CodeVersion | None:
    found: CodeVersion | None = component.versions.select_related("created_by", "component").filter(digest=_digest(source)).first()
    return found


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def _insert(component: CodeComponent, user: User, source: str, spec: Json, note: str, number: int) -> CodeVersion:
    made: CodeVersion = CodeVersion.objects.create(
        component=component, number=number, source=source, digest=_digest(source), spec=spec, note=note, created_by=user
    )
    record(
        user, "code.publish", ("code_version", made.pk, f"{component.slug} v{number}"), after=source, project=component.project,
        details={"code": component.slug, "version": number, "digest": made.digest},
    )  # fmt: skip
    return made


def _mark(component: CodeComponent, user: User, *, deleted: bool) -> None:
    with transaction.atomic():
        held = CodeComponent.objects.select_for_update().select_related("project").get(pk=component.pk)
        if (held.deleted_at is not None) == deleted:
            return
        held.deleted_at = timezone.now() if deleted else None
        held.save(update_fields=["deleted_at", "updated_at"])
        record(user, "code.delete" if deleted else "code.restore", ("code", held.pk, held.slug), project=held.project)
