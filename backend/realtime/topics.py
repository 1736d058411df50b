"""Topics a client may follow, and whether a topic is the project's: nothing outside a project can be named through its socket."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError

from backend.core import events

STUDIO = "studio"
"""What is no project's and no secret: that a host has come, gone or changed (`workers.sdk.messages.STUDIO_GROUP`)."""
OWNED_BY_PROJECT = {"run": "runs.Run", "label_schema": "labeling.LabelSchema"}
"""`<word>:<id>` → the model whose row with this id must have this `project`. A new live topic is one line here."""


def group_of(project: UUID, topic: str) -> str | None:
    """The channel layer's group for `topic`, or None when there is no such topic in this project. Reads the database."""
    if topic == "project":
        return events.group(project, topic)
    if topic == STUDIO:
        return STUDIO
    word, _, key = topic.partition(":")
    if word not in OWNED_BY_PROJECT or not events.TOPIC.fullmatch(topic):
        return None
    try:
        owned = apps.get_model(OWNED_BY_PROJECT[word]).objects.filter(pk=key, project_id=project).values_list("pk", flat=True).first()
    except (ValueError, ValidationError):
        return None
    return events.group(project, f"{word}:{owned}") if owned is not None else None
