"""Freeze a draft as an immutable version."""

from __future__ import annotations

from django.db import transaction

from backend.core.actions.audit import record
from backend.core.models import User
from backend.pipelines.errors import NothingToPublish
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.pipelines.queries import draft
from workers.sdk.graph import digest


def publish(pipeline: Pipeline, user: User, note: str = "") -> PipelineVersion:
    """The draft as a version. A graph that was published before gives the version it got then, newest first."""
    with transaction.atomic():
        held = Pipeline.objects.select_for_update(of=("self",)).select_related("project").get(pk=pipeline.pk)
        graph = draft(held)
        if not graph["steps"]:
            raise NothingToPublish(hint="Add a step first.")
        name = digest(graph)
        same: PipelineVersion | None = held.versions.select_related("created_by").filter(digest=name).order_by("-number").first()
        if same is not None:
            return same
        newest = held.versions.order_by("-number").values_list("number", flat=True).first()
        made: PipelineVersion = PipelineVersion.objects.create(
            pipeline=held, number=(newest or 0) + 1, graph=graph, digest=name, note=note, created_by=user
        )
        record(
            user, "pipeline.publish", ("pipeline_version", made.pk, f"{held.slug} v{made.number}"), after=graph, project=held.project,
            details={"pipeline": held.slug, "version": made.number, "digest": name},
        )  # fmt: skip
    return made
