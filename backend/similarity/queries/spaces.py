"""Reads of spaces: what there is, what could be computed, and one of them by its id."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from backend.core.errors import NotFound
from backend.core.models import Project
from backend.datasets.models import Dataset, DatasetVersion
from backend.registry.models import ModelVersion
from backend.similarity import pgvector
from backend.similarity.errors import PgvectorMissing
from backend.similarity.models import Space
from workers.sdk.embedders import EMBEDDERS


def find_space(project: Project, dataset: str, id_: UUID) -> Space:
    found: Space | None = (
        Space.objects.select_related("dataset__project", "created_by")
        .filter(dataset__project=project, dataset__slug=dataset, dataset__deleted_at=None, pk=id_)
        .first()
    )
    if found is None:
        raise NotFound(what="space", name=str(id_))
    return found


def newest_ready(dataset: Dataset) -> Space | None:
    """The space that was computed last and shows something."""
    found: Space | None = Space.objects.filter(dataset=dataset, version__gt=0).order_by("-computed_at").first()
    return found


def spaces_out(dataset: Dataset) -> dict[str, Any]:
    """All spaces of a data set, the ready ones computed last first, and what could be computed."""
    newest = dataset.versions.filter(status="frozen").order_by("-number").first()
    rows = Space.objects.filter(dataset=dataset).select_related("created_by").order_by("-computed_at", "-created_at")
    missing = str(PgvectorMissing()) if not pgvector.there() else ""
    embedders = _offered(dataset, newest)
    if not embedders:
        missing = "There is nothing yet that embeds data of this kind."
    return {
        "spaces": [space_out(row, newest) for row in sorted(rows, key=lambda row: row.computed_at is None)],
        "embedders": embedders,
        "unavailable": missing or ("" if newest else "Freeze a version of the data set first."),
    }


def space_out(space: Space, newest: DatasetVersion | None) -> dict[str, Any]:
    fields = (
        "id", "embedder", "dimension", "takes_text", "version", "status", "stage", "message", "total", "done", "fresh", "refused",
        "indexed", "created_by", "created_at", "computed_at",
    )  # fmt: skip
    embedder = EMBEDDERS[space.embedder]
    shown = {name: value for name, value in space.parameters.items() if name != "digest"}
    return {
        **{name: getattr(space, name) for name in fields},
        "title": ": ".join([embedder.title, *map(str, shown.values())]),
        "parameters": shown,
        "why_no_text": "" if space.takes_text else embedder.why_no_text,
        "clusters": len(space.clusters),
        "behind": bool(newest and space.version and newest.number != space.version),
    }


def _offered(dataset: Dataset, newest: DatasetVersion | None) -> list[dict[str, Any]]:
    found = []
    for one in EMBEDDERS.values():
        if dataset.modality not in one.modalities:
            continue
        needs = [name for name in one.needs if name != "column" or dataset.modality == "table"]
        choices: dict[str, list[str]] = {}
        if "model" in needs:
            rows = ModelVersion.objects.filter(model__project=dataset.project).select_related("model").order_by("-created_at")[:200]
            choices["model"] = [f"{row.model.slug}@{row.number}" for row in rows if row.manifest.get("input", {}).get("kind") == "image"]
        if "column" in needs:
            choices["column"] = [c["name"] for c in newest.columns if c["type"] in ("text", "category")] if newest else []
        lacking = next((name for name, values in choices.items() if not values), None)
        why = {"model": "There is no image model in this project yet.", "column": "The data has no column of text."}
        found.append({"name": one.name, "title": one.title, "help": one.help, "needs": needs, "choices": choices,
                      "unavailable": why[lacking] if lacking else ""})  # fmt: skip
    return found
