"""Spaces asked for, stopped and removed."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.datasets.actions.announce import announce
from backend.datasets.models import Dataset, DatasetVersion
from backend.labeling.actions.schemas import HOLDS, newest_frozen
from backend.registry import queries as registry
from backend.similarity import pgvector
from backend.similarity.actions.announce import COMPUTE, space_changed
from backend.similarity.errors import NoSuchEmbedder
from backend.similarity.models import Pair, Space, Vector
from workers.sdk.embedders import EMBEDDERS, Embedder

ASKED = {"status": "queued", "stage": "embed", "message": "", "attempts": 0, "done": 0, "fresh": 0, "refused": 0}


def start(request: Any, dataset: Dataset, user: User, fields: dict[str, Any]) -> Space:
    """Have a data set embedded, or brought up to its newest frozen version: only what is new is computed."""
    embedder = EMBEDDERS.get(fields["embedder"])
    if embedder is None or dataset.modality not in embedder.modalities:
        fit = ", ".join(one.name for one in EMBEDDERS.values() if dataset.modality in one.modalities)
        raise NoSuchEmbedder(embedder=fields["embedder"], modality=HOLDS[dataset.modality], field="embedder", hint=f"One of: {fit}.")
    version = newest_frozen(dataset)
    parameters = _parameters(dataset, version, embedder, fields)
    pgvector.prepare()
    with transaction.atomic():
        space, made = Space.objects.select_for_update(of=("self",)).get_or_create(
            dataset=dataset, embedder=embedder.name, parameters=parameters,
            defaults={"created_by": user, "takes_text": embedder.takes_text, "release": embedder.version, "total": version.item_count},
        )  # fmt: skip
        if space.release != embedder.version:  # what was computed before does not lie in the same space
            forget_vectors(space)
            space.release, space.learned, space.dimension = embedder.version, "", 0
            space.save(update_fields=["release", "learned", "dimension"])
        if not made:
            again(space, version)
        audit.record(
            request, "space.compute", ("space", space.pk, f"{dataset.slug} {embedder.name}"), project=dataset.project,
            details={"parameters": fields["given"]},
        )  # fmt: skip
        announce(COMPUTE, space.pk)
        space.dataset = dataset
        space_changed(space)
    space.refresh_from_db()
    return space


def again(space: Space, version: DatasetVersion) -> None:
    Space.objects.filter(pk=space.pk).update(**ASKED, total=version.item_count, announced_at=timezone.now())


def _parameters(dataset: Dataset, version: DatasetVersion, embedder: Embedder, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    needs = [name for name in embedder.needs if name != "column" or dataset.modality == "table"]
    fields["given"] = {name: fields[name] for name in needs if fields.get(name)}
    for name in ("model", "checkpoint", "column"):
        if fields.get(name) and name not in needs:
            raise InvalidInput(message=f"“{embedder.title}” takes no {name} here.", field=name, hint="Leave it out.")
    for name in needs:
        if not fields.get(name):
            raise InvalidInput(message=f"“{embedder.title}” needs a {name}.", field=name)
    if "model" in needs:
        model = registry.resolve(dataset.project, fields["model"])
        if model.manifest.get("input", {}).get("kind") != "image":
            raise InvalidInput(message=f"The model “{model.model.slug}” does not take pictures.", field="model")
        found |= {"model": f"{model.model.slug}@{model.number}", "digest": model.artifact.digest}
    if "checkpoint" in needs:
        found["checkpoint"] = fields["checkpoint"]
    if "column" in needs:
        texts = [c["name"] for c in version.columns if c["type"] in ("text", "category")]
        if fields["column"] not in texts:
            raise InvalidInput(
                message=f"There is no column of text “{fields['column']}”.",
                field="column",
                hint="Columns of text: " + ", ".join(texts[:20]),
            )
        found["column"] = fields["column"]
    return found


def cancel(request: Any, space: Space) -> None:
    """Stop; what is computed stays. Nothing happens where nothing runs."""
    with transaction.atomic():
        if Space.objects.filter(pk=space.pk, status__in=["queued", "running"]).update(status="cancelled"):
            audit.record(request, "space.cancel", ("space", space.pk, space.embedder), project=space.dataset.project)
            space_changed(space)


def remove(request: Any, space: Space) -> None:
    with transaction.atomic():
        audit.record(request, "space.delete", ("space", space.pk, space.embedder), project=space.dataset.project)
        forget_vectors(space)
        space_changed(space)
        space.delete()


def forget_vectors(space: Space) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {index_name(space)}")
    Pair.objects.filter(space=space)._raw_delete("default")
    Vector.objects.filter(space=space)._raw_delete("default")
    Space.objects.filter(pk=space.pk).update(indexed=False, clusters=[], version=0)
    space.indexed = False


def index_name(space: Space) -> str:
    return f"similarity_near_{space.pk.hex}"


def when_frozen(sender: Any, version: DatasetVersion, **_: Any) -> None:
    """A new version: what is new in it is embedded too. In the transaction that freezes it."""
    for space in Space.objects.filter(dataset=version.dataset_id, status="ready"):
        again(space, version)
        announce(COMPUTE, space.pk)
