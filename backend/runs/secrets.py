"""Secrets of a project: their names for people, a value for the step that names it, and for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from backend.core.errors import NotFound, Problem
from backend.core.models import Project
from backend.core.secrets import decrypt
from backend.runs.models import ProjectSecret, StepRun
from workers.sdk.graph.code import Code
from workers.sdk.graph.nested import Nested
from workers.sdk.graph.parameters import SECRET, is_reference, references


def list_secrets(project: Project) -> list[ProjectSecret]:
    return list(ProjectSecret.objects.filter(project=project).select_related("created_by").defer("ciphertext").order_by("name"))


def find_secret(project: Project, name: str) -> ProjectSecret:
    found: ProjectSecret | None = ProjectSecret.objects.select_related("created_by", "project").filter(project=project, name=name).first()
    if found is None:
        raise NotFound(what="secret", name=name)
    return found


def value_for(project: Project, step_run: UUID | None, name: str) -> str:
    """The value, for a running step of this project one of whose own parameters names it. Everybody else is told that there is none.
    User-written code gets none, whatever its parameters say. Raises NotFound, SecretUnreadable."""
    step = StepRun.objects.filter(pk=step_run, project=project, status="running").first() if step_run is not None else None
    named = step is not None and any(is_reference(value, SECRET) and value[SECRET] == name for value in step.parameters.values())
    if step is None or not named or step.component.startswith("code:"):
        raise NotFound(what="secret", name=name)
    return decrypt(find_secret(project, name).ciphertext)


def problems(project: Project, graph: Mapping[str, Any], components: Mapping[str, Any]) -> list[Problem]:
    """References to secrets that there are not, or that user-written code would get; in pipelines used as steps too."""
    graphs = [("", graph), *((f"{name}: ", one.graph) for name, one in components.items() if isinstance(one, Nested))]
    wanted = [(where, inner, *found) for where, inner in graphs for found in references(inner, SECRET)]
    if not wanted:
        return []
    there = set(ProjectSecret.objects.filter(project=project).values_list("name", flat=True))
    found: list[Problem] = []
    for where, inner, step, parameter, name in wanted:
        field = f"{where}{step}.{parameter}"
        if isinstance(components.get(inner["steps"][step]["component"]), Code):
            found.append({"field": field, "message": "code steps get no secrets", "expected": "a value of its own"})
        elif name not in there:
            known = ", ".join(sorted(there)) or "none yet"
            found.append({"field": field, "message": f"the project has no secret “{name}”", "expected": f"one of: {known}"})
    return found
