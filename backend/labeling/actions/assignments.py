"""Who labels what: a part of the queue set aside for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Membership, User
from backend.core.permissions import may
from backend.labeling.actions.announce import schema_changed
from backend.labeling.models import Assignment, LabelSchema


def assign(
    request: Any, schema: LabelSchema, user: User, *, name: str, people: list[UUID], number: int | None, share: float | None, search: str,
    due_at: datetime | None, items: list[int] | None = None,
) -> Assignment:  # fmt: skip
    """Set aside items that nobody has begun, belong to no assignment, whose key contains `search` and that are among `items`, if given:
    `number` of them, or `share` (0 to 1) of them, or all, in the order of the queue. Raises InvalidInput where there are none."""
    members = {m.user_id: m.role for m in Membership.objects.filter(project=schema.project, user_id__in=people, user__is_active=True)}
    for place, person in enumerate(people):
        if person not in members:
            raise InvalidInput(message="This person is not a member of the project.", field=f"people.{place}")
        if not may(members[person], "label.annotate"):
            raise InvalidInput(
                message=f"A {members[person]} may not annotate.", field=f"people.{place}", hint="Give them the role annotator."
            )
    if len(set(people)) < schema.overlap:
        raise InvalidInput(
            message=f"Each item is labelled by {schema.overlap} people; the assignment names {len(set(people))}.", field="people",
            hint="Name more people, or lower the overlap.",
        )  # fmt: skip
    with transaction.atomic():
        made = Assignment.objects.create(schema=schema, name=name.strip(), due_at=due_at, created_by=user)
        made.people.set(people)
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH fit AS (SELECT id, rank FROM labeling_queueitem WHERE schema_id = %(schema)s AND NOT removed"
                " AND assignment_id IS NULL"
                " AND done = 0 AND free = wanted AND strpos(lower(key), lower(%(search)s)) > 0"
                " AND (%(items)s::bigint[] IS NULL OR id = ANY (%(items)s))),"
                " part AS (SELECT id FROM fit ORDER BY rank, id LIMIT coalesce(%(number)s::bigint,"
                " ceil(%(share)s::float8 * (SELECT count(*) FROM fit))::bigint))"
                " UPDATE labeling_queueitem SET assignment_id = %(assignment)s WHERE id IN (SELECT id FROM part)",
                {
                    "schema": schema.pk,
                    "search": search,
                    "number": number,
                    "share": 1.0 if share is None else share,
                    "assignment": made.pk,
                    "items": items,
                },
            )
            given = cursor.rowcount
        if not given:
            raise InvalidInput(
                message="No item that is still free fits this.", field="items" if items else "search" if search else "number"
            )
        audit.record(
            request, "assignment.create", ("assignment", made.pk, made.name), project=schema.project,
            details={"label_schema": schema.slug, "items": given},
        )  # fmt: skip
        schema_changed(schema)
    return made


def unassign(request: Any, schema: LabelSchema, assignment: UUID) -> None:
    """Give what is left of it back to everybody."""
    with transaction.atomic():
        found = Assignment.objects.select_for_update(of=("self",)).filter(schema=schema, pk=assignment).first()
        if found is None:
            raise NotFound(what="assignment", name=str(assignment))
        audit.record(request, "assignment.delete", ("assignment", found.pk, found.name), project=schema.project)
        found.delete()
        schema_changed(schema)
