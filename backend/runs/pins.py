"""Outputs of a finished run's step that a step of a pipeline is pinned to: which they are, and whether they can still be taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.models import Project
from backend.runs.models import StepOutput, StepRun
from workers.sdk.graph import Problem
from workers.sdk.graph.nested import Nested
from workers.sdk.kinds import List

ANY = "Artifact"


def pinned(graph: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The steps that are pinned, each with its pin."""
    return {key: step["pin"] for key, step in graph["steps"].items() if step.get("pin")}


def problems(project: Project, graph: Mapping[str, Any], components: Mapping[str, Any]) -> list[Problem]:
    """What keeps the pins of a graph from being taken. Two queries and a look at the store, where there are pins."""
    found = []
    for key, step in graph["steps"].items():
        inner = components.get(step["component"])
        if isinstance(inner, Nested) and pinned(inner.graph):
            found.append(_problem(key, "pin_inside", f"A step inside “{inner.title}” is pinned.", "Unpin it there and publish it again."))
    pins = pinned(graph)
    if not pins:
        return found
    ids = [UUID(pin["step_run"]) for pin in pins.values()]
    runs = {s.pk: s for s in StepRun.objects.filter(project=project, pk__in=ids).only("status", "step", "component")}
    outputs: dict[UUID, dict[str, Artifact]] = {}
    for made in StepOutput.objects.filter(step_run__in=runs).select_related("artifact").defer("artifact__inline"):
        outputs.setdefault(made.step_run_id, {})[made.port] = made.artifact
    for key, pin in pins.items():
        made_by = runs.get(UUID(pin["step_run"]))
        component = components.get(graph["steps"][key]["component"])
        if made_by is None:
            message = f"The result of run #{pin['run']} that “{key}” is pinned to is not in this project."
            found.append(_problem(key, "pin_gone", message, "Unpin the step, or pin it to another run."))
        elif component is not None:
            found += _misfits(key, pin, graph["steps"][key], component, outputs.get(made_by.pk, {}))
    return found


def _misfits(
    key: str, pin: Mapping[str, Any], step: Mapping[str, Any], component: Any, outputs: Mapping[str, Artifact]
) -> list[Problem]:  # fmt: skip
    hint = "Unpin the step, or pin it to another run."
    found = []
    for port in component.outputs:
        artifact = outputs.get(port.name)
        wanted = List.kind if step.get("map") else port.kind
        if artifact is None:
            if port.required:
                message = f"“{key}” is pinned to run #{pin['run']}, which gave nothing at “{port.name}”."
                found.append(_problem(key, "pin_incomplete", message, hint, port.name))
        elif ANY not in (wanted, artifact.kind) and artifact.kind != wanted:
            message = f"“{key}” gives {wanted} at “{port.name}”, but it is pinned to run #{pin['run']}, which gave {artifact.kind} there."
            found.append(_problem(key, "pin_kind", message, hint, port.name))
        elif not _there(artifact):
            message = f"The {artifact.kind} of run #{pin['run']} that “{key}” is pinned to is not in the artifact store any more."
            found.append(_problem(key, "pin_gone", message, hint, port.name))
    return found


def _there(artifact: Artifact) -> bool:
    """Its bytes; a small value lies in the row itself."""
    return Artifact.objects.filter(pk=artifact.pk, inline__isnull=False).exists() or store().exists(artifact.digest)


def _problem(step: str, code: str, message: str, hint: str, port: str | None = None) -> Problem:
    return {"severity": "error", "step": step, "port": port, "parameter": None, "code": code, "message": message, "hint": hint}
