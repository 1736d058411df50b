"""Start a run: of a pipeline's draft, of a version, or again with changed parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

from django.db import transaction

from backend.core.actions.audit import record
from backend.core.errors import InvalidInput, NotFound, Problem
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets import queries as datasets
from backend.pipelines import queries as pipelines
from backend.pipelines.actions import publish
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs.actions import ledger
from backend.runs.errors import ParametersRefused, RunRefused
from backend.runs.models import Run
from workers import catalog
from workers.sdk import graph as graphs
from workers.sdk.cache import cache_key
from workers.sdk.component import Component

Json = dict[str, Any]
Overrides = Mapping[str, Mapping[str, Any]]


def start_run(
    project: Project, user: User, pipeline: Pipeline | str, version: int | PipelineVersion | None = None,
    parameters: Overrides | None = None,
    name: str = "", use_cache: bool = True, rerun_of: Run | None = None,
) -> Run:  # fmt: skip
    """Check everything, publish the draft if that is what runs, and hand the graph to the ledger. Changes nothing when
    something is wrong: the error lists every problem with step and parameter."""
    with transaction.atomic():
        found = pipelines.find(project, pipeline) if isinstance(pipeline, str) else pipeline
        if version is None:
            frozen = publish(found, user)
        else:
            frozen = version if isinstance(version, PipelineVersion) else pipelines.get_version(found, version)
        return _begin(project, user, frozen, frozen.graph, parameters or {}, name, use_cache, rerun_of)


def rerun(run: Run, user: User, parameters: Overrides | None = None, name: str = "", use_cache: bool = True) -> Run:
    """The graph of `run` again, with its overrides and these; data set versions stay the ones it used."""
    with transaction.atomic():
        kept: Json = {step: dict(values) for step, values in run.parameters.items()}
        for step, values in (parameters or {}).items():
            kept[step] = {**kept.get(step, {}), **values}
        return _begin(run.project, user, run.pipeline_version, run.graph, parameters or {}, name or run.name, use_cache, run, kept)


def _begin(
    project: Project, user: User, version: PipelineVersion, base: Mapping[str, Any], overrides: Overrides, name: str, use_cache: bool,
    rerun_of: Run | None, told: Json | None = None,
) -> Run:  # fmt: skip
    components = catalog.load().components
    graph = _unpinned(base, components)
    _override(graph, overrides, components)
    problems = pipelines.check_graph(project, graph)["problems"]
    if errors := [p for p in problems if p["severity"] == "error"]:
        raise RunRefused(message="The pipeline has problems that must be mended before it can run.", problems=[_problem(p) for p in errors],
                         field=_problem(errors[0])["field"] or None, hint=errors[0]["message"])  # fmt: skip
    read = _pin(project, graph, components)
    run_id = new_id()
    steps, inputs = _plan(graph, components)
    ledger.start(
        {
            "id": run_id, "project_id": project.pk, "name": name, "pipeline_version_id": version.pk, "graph": graph,
            "parameters": told if told is not None else {k: dict(v) for k, v in overrides.items()}, "use_cache": use_cache,
            "rerun_of": rerun_of.pk if rerun_of is not None else None, "started_by": user.pk,
        }, steps, inputs,
    )  # fmt: skip
    _link(project, version, run_id, {s["step"]: s["id"] for s in steps}, read)
    run = Run.objects.select_related("project", "pipeline_version__pipeline", "started_by").get(pk=run_id)
    record(user, "run.start", ("run", run.pk, f"run {run.number}"), after=graph, project=project, details={
        "number": run.number, "pipeline": version.pipeline.slug, "version": version.number,
        "rerun_of": str(rerun_of.pk) if rerun_of is not None else None,
    })  # fmt: skip
    return run


def _unpinned(graph: Mapping[str, Any], components: Mapping[str, Component]) -> graphs.Graph:
    """A copy in normal form; `slug@3#digest` of an earlier run is `slug@3` again."""
    copied = graphs.normalise(copy.deepcopy(dict(graph)))
    for reference in graphs.dataset_references(copied, components):
        copied["steps"][reference.step]["parameters"][reference.parameter] = reference.text.partition("#")[0]
    return copied


def _override(graph: graphs.Graph, overrides: Overrides, components: Mapping[str, Component]) -> None:
    """Put the overrides in, each checked against its component's form."""
    problems: list[Problem] = []
    for key, values in overrides.items():
        step = graph["steps"].get(key)
        if step is None:
            problems.append(
                {"field": key, "message": f"the pipeline has no step “{key}”", "expected": "one of: " + ", ".join(graph["steps"])}
            )
            continue
        component = components.get(step["component"])
        if component is None:
            continue  # told by the check of the graph
        try:
            step["parameters"] = {
                **step["parameters"],
                **graphs.normalise({"steps": {key: {**step, "parameters": dict(values)}}})["steps"][key]["parameters"],
            }
        except graphs.GraphError as exc:
            problems.append({"field": key, "message": str(exc), "expected": ""})
            continue
        for found in component.problems(step["parameters"]):
            if found["field"] in values or not found["field"]:
                problems.append(
                    {"field": f"{key}.{found['field']}".rstrip("."), "message": found["message"], "expected": found["expected"]}
                )
    if problems:
        raise ParametersRefused(message=f"{problems[0]['field']}: {problems[0]['message']}.", field=problems[0]["field"], problems=problems,
                                hint=f"Expected {problems[0]['expected']}." if problems[0].get("expected") else "")  # fmt: skip


def _problem(found: Mapping[str, Any]) -> Problem:
    where = ".".join(str(part) for part in (found["step"], found["parameter"] or found["port"]) if part)
    return {"field": where, "message": found["message"], "expected": found["hint"]}


def _pin(project: Project, graph: graphs.Graph, components: Mapping[str, Component]) -> list[tuple[str, Any]]:
    """Name the exact bytes of each data set version; gives (step, version) pairs."""
    read = []
    for reference in graphs.dataset_references(graph, components):
        try:
            version = datasets.resolve_reference(project, reference.text)
        except NotFound as exc:
            raise InvalidInput(message=str(exc), field=f"{reference.step}.{reference.parameter}") from exc
        digest = version.artifact.digest if version.artifact is not None else ""
        graph["steps"][reference.step]["parameters"][reference.parameter] = f"{version.dataset.slug}@{version.number}#{digest}"
        read.append((reference.step, version))
    return read


def _plan(graph: graphs.Graph, components: Mapping[str, Component]) -> tuple[list[Json], list[Json]]:
    """The step runs and their wires, in an order in which they can run, each with its cache key."""
    ids = {key: str(new_id()) for key in graph["steps"]}
    keys: dict[str, str] = {}
    steps: list[Json] = []
    inputs: list[Json] = []
    for key in graphs.topological(graph):
        step = graph["steps"][key]
        component = components[step["component"]]
        defaults = {n: copy.deepcopy(s["default"]) for n, s in component.parameters["properties"].items() if "default" in s}
        parameters = {**defaults, **step["parameters"]}
        wires = {port: [(keys[ref["step"]], ref["output"]) for ref in refs] for port, refs in step["inputs"].items()}
        keys[key] = cache_key(component.name, component.version, parameters, wires) if component.cacheable else ""
        steps.append({
            "id": ids[key], "step": key, "component": component.name, "component_version": component.version, "queue": component.resources,
            "parameters": parameters, "max_attempts": step["retries"] + 1, "timeout_s": step["timeout_s"], "cacheable": component.cacheable,
            "cache_key": keys[key],
        })  # fmt: skip
        for port, refs in step["inputs"].items():
            inputs += [
                {"step_run": ids[key], "port": port, "position": n, "source": ids[ref["step"]], "output": ref["output"]}
                for n, ref in enumerate(refs)
            ]
    return steps, inputs


def _link(project: Project, version: PipelineVersion, run_id: Any, steps: Mapping[str, str], read: list[tuple[str, Any]]) -> None:
    """Lineage that only the start knows: which pipeline version the run is of, which data set versions its steps read."""
    from backend.artifacts.models import LineageEdge

    rows = [
        LineageEdge(
            project=project, source_type="pipeline_version", source_id=version.pk, target_type="run", target_id=run_id, relation="ran"
        )
    ]
    for step, dataset_version in read:
        rows.append(LineageEdge(project=project, source_type="dataset_version", source_id=dataset_version.pk, target_type="step_run",
                                target_id=cast(Any, steps[step]), relation="used"))  # fmt: skip
    LineageEdge.objects.bulk_create(rows, ignore_conflicts=True)
