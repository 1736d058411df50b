"""Writes of `registry`: register a version, describe a model, point an alias. Check, change, notify."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from backend.artifacts.actions import link
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.actions.audit import record
from backend.core.errors import Conflict, InvalidInput, NotFound
from backend.core.events import publish
from backend.core.models import Project, User
from backend.core.queries import unique_slug
from backend.registry.errors import BadAlias, DiffersFromOriginal, NoSuchModelArtifact, NotAModel, OfDryRun, ParityUnknown
from backend.registry.models import Alias, Model, ModelVersion
from backend.registry.queries import LATEST, by_name, version_by_id
from backend.registry.triggers import told as tell_triggers
from backend.runs.models import StepRun
from backend.runs.queries import dry_only
from workers import catalog
from workers.sdk import graph as graphs
from workers.sdk.graph.plain import plain
from workers.sdk.kinds import Model as ModelFolder
from workers.sdk.store import BlobMissing, StoreError

TASKS = ("classification", "regression", "detection", "spans")
TOLERANCE = 1e-4
"""The largest difference between the answers of the published and of the trained model that may be registered."""
MANIFEST_BYTES = 8 * 1024 * 1024
ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def register(
    project: Project,
    user: User,
    name: str,
    digest: str,
    *,
    metrics: Mapping[str, Any] | None = None,
    parity: Mapping[str, Any] | None = None,
    description: str = "",
    aliases: Sequence[str] = (),
    step_run: UUID | None = None,
) -> ModelVersion:
    """The Model artifact as the next version of the model `name` (made when missing). A step run that says the same twice
    is answered with what it registered the first time."""
    artifact = Artifact.objects.filter(project=project, kind="Model", digest=digest).first()
    if artifact is None:
        raise NoSuchModelArtifact(
            digest=digest[:64], field="artifact", hint="Send the digest of an artifact of kind Model of this project."
        )
    if dry_only(artifact):
        raise OfDryRun(field="artifact", hint="Run the pipeline on all of the data, and register what that run gives.")
    manifest = _manifest(artifact)
    checked = _parity(parity or manifest.get("parity") or {})
    told = {key: value if isinstance(value, dict) else {"value": value} for key, value in _json(metrics or {}, "metrics").items()}
    for alias in aliases:
        _check_alias(alias)
    step = StepRun.objects.select_related("run").filter(pk=step_run, run__project=project).first() if step_run else None
    sources = _dataset_versions(step, manifest)
    with transaction.atomic():
        model = _model(project, name)
        if step is not None and (same := model.versions.filter(step_run=step, artifact=artifact).first()):
            return version_by_id(same.pk)
        number = (model.versions.aggregate(newest=Max("number"))["newest"] or 0) + 1
        version = ModelVersion.objects.create(
            model=model, number=number, artifact=artifact, step_run=step, manifest=manifest, metrics=told, parity=checked,
            dataset_versions=sources, parameters=(manifest.get("training") or {}).get("parameters") or {}, description=description,
            created_by=user,
        )  # fmt: skip
        link(project, [(("artifact", artifact.pk), ("model_version", version.pk), "registered as")])
        if step is not None:
            link(project, [(("step_run", step.pk), ("model_version", version.pk), "registered")])
        tell_triggers(version)
        for alias in aliases:
            _point(model, alias, version, user)
        model.save(update_fields=["updated_at"])
        record(
            user, "model.register", ("model_version", version.pk, f"{model.slug}@{number}"), after={"artifact": digest, "metrics": told},
            project=project, details={"model": model.slug, "version": number, "artifact": digest},
        )  # fmt: skip
        publish(project, "project", {"type": "model_changed", "model": model.slug})
    return version_by_id(version.pk)


def _manifest(artifact: Artifact) -> dict[str, Any]:
    """The model's own manifest from the store, as far as it must be right for forms and the predictor."""
    try:
        files = {file["path"]: file for file in store().files(artifact.digest)}
        missing = {"manifest.json", "model.onnx"} - files.keys()
        if missing:
            raise NotAModel(reason=f"it has no {min(missing)}.", field="artifact")
        if files["manifest.json"]["size"] > MANIFEST_BYTES:
            raise NotAModel(reason="its manifest.json is larger than 8 MB.", field="artifact")
        manifest = json.loads(store().read(files["manifest.json"]["digest"]))
    except BlobMissing:
        raise NotAModel(reason="its files are not in the artifact store.", field="artifact", hint="Run the training again.") from None
    except (StoreError, ValueError) as e:
        raise NotAModel(reason=f"its manifest cannot be read ({e}).", field="artifact") from None
    if not isinstance(manifest, dict) or manifest.get("format") not in ModelFolder.formats:
        raise NotAModel(reason=f"its manifest is not of the format {' or '.join(ModelFolder.formats)}.", field="artifact")
    if manifest.get("task") not in TASKS or not all(isinstance(manifest.get(part), dict) for part in ("input", "output", "onnx")):
        raise NotAModel(reason="its manifest must say task, input, output and onnx.", field="artifact")
    return _json(manifest, "artifact")


def _json(value: Mapping[str, Any], field: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = plain(value, field)
    except graphs.GraphError as e:
        raise InvalidInput(message=str(e), field=e.field or field) from None
    return kept


def _parity(told: Mapping[str, Any]) -> dict[str, Any]:
    largest = told.get("largest_difference")
    if not isinstance(largest, int | float) or isinstance(largest, bool):
        raise ParityUnknown(field="parity.largest_difference", hint="Use the component “Register a model”: it checks.")
    if not math.isfinite(largest) or not 0 <= largest <= TOLERANCE:
        raise DiffersFromOriginal(
            largest=f"{largest:.3g}", tolerance=f"{TOLERANCE:g}", field="parity.largest_difference", hint="Train it again."
        )
    return _json(told, "parity") | {"tolerance": TOLERANCE}


def _dataset_versions(step: StepRun | None, manifest: Mapping[str, Any]) -> list[str]:
    """`slug@3` of the data that the steps before this one read; what the manifest says where no run is known."""
    if step is None:
        told = (manifest.get("training") or {}).get("dataset_versions")
        return [str(text) for text in told] if isinstance(told, list) else []
    graph = graphs.normalise(step.run.graph)
    before, waiting = {step.step}, [step.step]
    while waiting:
        here = graph["steps"].get(waiting.pop())
        for refs in here["inputs"].values() if here else ():
            for ref in refs:
                if ref["step"] not in before:
                    before.add(ref["step"])
                    waiting.append(ref["step"])
    found = graphs.dataset_references(graph, catalog.load().components)
    return sorted({reference.text.partition("#")[0] for reference in found if reference.step in before})


def _model(project: Project, name: str) -> Model:
    """The model of that name, locked; made when missing. Two steps that make it at once get the same one."""
    name = name.strip() or name
    for _ in range(5):
        found = by_name(project, name)
        if found is not None:
            locked: Model = Model.objects.select_for_update().get(pk=found.pk)
            return locked
        try:
            with transaction.atomic():
                slug = unique_slug(Model.objects.filter(project=project), name, "model")
                made: Model = Model.objects.create(project=project, slug=slug, name=name)
                return made
        except IntegrityError:
            continue
    raise Conflict(message=f"The model “{name}” is being made by many at once.", field="model", hint="Try again.")


def describe_model(model: Model, user: User, description: str) -> None:
    with transaction.atomic():
        held = Model.objects.select_for_update().get(pk=model.pk)
        before, held.description = held.description, description
        held.save(update_fields=["description", "updated_at"])
        record(
            user,
            "model.update",
            ("model", held.pk, held.slug),
            {"description": before},
            {"description": description},
            project=model.project,
        )
        publish(model.project, "project", {"type": "model_changed", "model": held.slug})


def _check_alias(alias: str) -> None:
    if alias == LATEST or not ALIAS.fullmatch(alias):
        raise BadAlias(alias=alias[:60], field="alias", hint="Small letters, digits, - and _, a letter first, at most 40; not “latest”.")


def _point(model: Model, alias: str, version: ModelVersion, user: User) -> None:
    held = Alias.objects.select_related("version").filter(model=model, name=alias).first()
    before = held.version.number if held else None
    if before == version.number:
        return
    Alias.objects.update_or_create(model=model, name=alias, defaults={"version": version})
    record(
        user, "model.alias", ("model", model.pk, f"{model.slug}@{alias}"), {"version": before}, {"version": version.number},
        project=model.project, details={"model": model.slug, "alias": alias, "from": before, "to": version.number},
    )  # fmt: skip
    tell_triggers(version, alias)


def set_alias(version: ModelVersion, user: User, alias: str) -> None:
    """Point the alias at this version; where it pointed before is in the audit log."""
    _check_alias(alias)
    with transaction.atomic():
        model = Model.objects.select_for_update().select_related("project").get(pk=version.model_id)
        _point(model, alias, version, user)
        publish(model.project, "project", {"type": "model_changed", "model": model.slug})


def delete_alias(model: Model, user: User, alias: str) -> None:
    with transaction.atomic():
        held = Alias.objects.select_for_update().select_related("version").filter(model=model, name=alias).first()
        if held is None:
            raise NotFound(what="alias", name=alias)
        number = held.version.number
        held.delete()
        record(
            user, "model.unalias", ("model", model.pk, f"{model.slug}@{alias}"), {"version": number}, project=model.project,
            details={"model": model.slug, "alias": alias, "from": number},
        )  # fmt: skip
        publish(model.project, "project", {"type": "model_changed", "model": model.slug})
