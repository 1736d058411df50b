"""Who has an item open now: said by pages over the project's socket (`backend.realtime`), told to those who may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.core import presence
from backend.core.errors import InvalidInput
from backend.core.events import send
from backend.core.models import Project
from backend.labeling.models import LabelSchema
from backend.labeling.queries.items import find_item
from backend.labeling.queries.schemas import find_schema

DOING = ("labelling", "reviewing", "looking")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page is: it was looked up once, and is said again by each heartbeat."""

    schema: UUID
    slug: str
    user: UUID
    item: int
    doing: str


def place(project: UUID, user: UUID, said: Any) -> Place:
    """What a page says, `{label_schema, item, doing}`, looked up in its project. Raises InvalidInput or NotFound."""
    if not isinstance(said, dict) or not isinstance(said.get("label_schema"), str) or type(said.get("item")) is not int:
        raise InvalidInput(message="`present` says where you are, or null.", field="present", hint='{"label_schema": "pets", "item": 1}')
    if said.get("doing", "looking") not in DOING:
        raise InvalidInput(message="`doing` is one of " + ", ".join(DOING) + ".", field="present")
    schema = find_schema(Project.objects.get(pk=project), said["label_schema"])
    item = find_item(schema, max(0, min(said["item"], 2**53)))
    return Place(schema=schema.pk, slug=schema.slug, user=user, item=item.pk, doing=said.get("doing", "looking"))


def enter(line: str, here: Place) -> None:
    """A page is (still) there."""
    if presence.enter(str(here.schema), line, {"user": str(here.user), "item": here.item, "doing": here.doing}):
        _hint(here)


def leave(line: str, here: Place) -> None:
    if presence.leave(str(here.schema), line):
        _hint(here)


def _hint(here: Place) -> None:
    """Pages ask anew who is there, and are told what they may know then. Where not everybody may, nothing is hinted at either."""
    schema = LabelSchema.objects.filter(pk=here.schema).first()
    if schema is not None and not schema.blind and schema.honeypot_share == 0:
        send(f"label_schema.{here.schema}", {"type": "presence_changed", "seq": 0, "schema_id": str(here.schema)})
