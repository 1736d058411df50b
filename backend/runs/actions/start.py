"""Start a run: of a pipeline's draft, of a version, or again with changed parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotFound, Problem
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.datasets import queries as datasets
from backend.pipelines import queries as pipelines
from backend.pipelines.actions import publish
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs import pins, secrets
from backend.runs.actions import ledger
from backend.runs.errors import ParametersRefused, RunRefused
from backend.runs.models import PRIORITIES, Run, StepRun
from workers.sdk import graph as graphs
from workers.sdk.graph.code import Code
from workers.sdk.graph.nested import Nested
from workers.sdk.graph.parameters import PARAMETER, given, references, substitute
from workers.sdk.graph.skip import unneeded, unsafe

Json = dict[str, Any]
Overrides = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants of a run beside its graph.

    `parameters` override steps' parameters, `values` are the pipeline's own. `until`: only these steps and what they need. `fresh`: these
    steps run in any case (and what comes after them is looked up by content alone). `reuse`: what is unaffected is taken over from
    the run this one continues, steps that are not cacheable too.
    `priority`: one of `PRIORITIES`; None is normal, of a run again the same. `sample`: a dry run, on these rows."""

    parameters: Overrides = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    use_cache: bool = True
    until: Sequence[str] = ()
    fresh: Sequence[str] = ()
    reuse: bool = False
    priority: str | None = None
    sample: Json | None = None


def start_run(
    project: Project, user: User, pipeline: Pipeline | str, version: int | PipelineVersion | None = None, wish: Wish | None = None
) -> Run:
    """Check everything, publish the draft if that is what runs, and hand the graph to the ledger. Changes nothing when
    something is wrong: the error lists every problem with step and parameter."""
    return _started(begin_run(project, user, pipeline, version, wish))


def begin_run(
    project: Project, user: User, pipeline: Pipeline | str, version: int | PipelineVersion | None = None, wish: Wish | None = None
) -> UUID:
    """The same for who needs no more than the run's id."""
    wish = wish or Wish()
    if version is None:
        with transaction.atomic():  # what is not started is not published
            frozen = publish(pipelines.find(project, pipeline) if isinstance(pipeline, str) else pipeline, user)
            return _begin(project, user, frozen, frozen.graph, wish, None)
    if isinstance(version, int):
        version = (
            pipelines.find_version(project, pipeline, version) if isinstance(pipeline, str) else pipelines.get_version(pipeline, version)
        )
    return _begin(project, user, version, version.graph, wish, None)


def rerun(run: Run, user: User, wish: Wish, version: PipelineVersion | None = None) -> Run:
    """The graph of `run` again (or, edited, of another version), with its overrides and these; data set versions stay the ones it used."""
    kept: Json = {step: dict(values) for step, values in run.parameters.items()}
    for step, values in wish.parameters.items():
        kept[step] = {**kept.get(step, {}), **values}
    base = _bound_again(run.graph) if version is None else version.graph
    if version is not None:
        kept = {step: values for step, values in kept.items() if step in base["steps"] or step in wish.parameters}
    told = replace(wish, parameters=kept, values={**run.values, **wish.values}, name=wish.name or run.name,
                   priority=wish.priority or PRIORITIES[run.priority], sample=wish.sample or run.sample)  # fmt: skip
    return _started(_begin(run.project, user, version or run.pipeline_version, base, told, run))


def _started(run: UUID) -> Run:
    """Read once the workers have been told: they need not wait for what the caller wants to see."""
    return Run.objects.select_related("project", "pipeline_version__pipeline", "started_by").get(pk=run)


def _bound_again(graph: Mapping[str, Any]) -> Mapping[str, Any]:
    """The graph of a run with the references to the pipeline's parameters in it again, so that they can be filled in anew."""
    copied: Json = copy.deepcopy(dict(graph))
    for step, names in (graph.get("bound") or {}).items():
        copied["steps"][step]["parameters"] |= {parameter: {PARAMETER: name} for parameter, name in names.items()}
    return copied


def _begin(project: Project, user: User, version: PipelineVersion, base: Mapping[str, Any], wish: Wish, before: Run | None) -> UUID:
    components = pipelines.components_for(project, base)
    graph = _unpinned(base, components)
    # Overrides first: they may take the place of a reference to a parameter of the pipeline.
    _override(graph, wish.parameters, components)
    bound: dict[str, dict[str, str]] = {}
    for key, parameter, one in references(graph, PARAMETER):
        bound.setdefault(key, {})[parameter] = one
    values = _fill(graph, wish.values)
    _prune(graph, wish)
    # What was put in came from outside; the rest is in normal form already.
    problems, _ = pipelines.checked(project, pipelines.normalised(graph) if values else graph)
    if errors := [p for p in problems if p["severity"] == "error"]:
        raise RunRefused(message="The pipeline has problems that must be mended before it can run.", problems=[_problem(p) for p in errors],
                         field=_problem(errors[0])["field"] or None, hint=errors[0]["message"])  # fmt: skip
    if missing := secrets.problems(project, graph, components):
        raise ParametersRefused(message=f"{missing[0]['field']}: {missing[0]['message']}.", field=missing[0]["field"], problems=missing,
                                hint="Owners set secrets in the project's settings.")  # fmt: skip
    read = _pin(project, graph, components)
    inner = {
        part: kept
        for part, kind in (("pipelines", Nested), ("code", Code))
        if (kept := {name: one.as_json() for name, one in components.items() if isinstance(one, kind)})
    }
    run_id = new_id()
    steps, inputs = graphs.plan(graph, components, new_id)
    _skip(graph, components, steps, wish)
    _choose(graph, steps, wish, before)
    running = {s["step"]: s["id"] for s in steps if not s.get("skip")}
    ledger.start(
        {
            "id": run_id, "project_id": project.pk, "name": wish.name, "pipeline_version_id": version.pk,
            "graph": {**graph, **inner, **({"bound": bound} if bound else {})},
            "parameters": {k: dict(v) for k, v in wish.parameters.items()},
            "values": values, "use_cache": wish.use_cache, "rerun_of": before.pk if before is not None else None, "started_by": user.pk,
            "priority": PRIORITIES.index(wish.priority or "normal"), "sample": wish.sample,
        }, steps, inputs, [
            _edge("pipeline_version", version.pk, "ran", "run", run_id),
            *(_edge("dataset_version", dataset.pk, "used", "step_run", running[step]) for step, dataset in read if step in running),
        ], audit.row(user, "run.start", ("run", run_id, "run"), after=graph, project=project, details={
            "pipeline": version.pipeline.slug, "version": version.number, "rerun_of": str(before.pk) if before is not None else None,
            "continued": wish.reuse, "dry_run": wish.sample,
        }),
    )  # fmt: skip
    return run_id


def _fill(graph: graphs.Graph, values: Mapping[str, Any]) -> Json:
    """Put the pipeline's parameters in; gives the values that were used. Every one that is missing or wrong is named."""
    found, problems = given(graph, values)
    if problems:
        told: list[Problem] = [{"field": f"values.{name}", "message": message, "expected": ""} for name, message in problems]
        raise ParametersRefused(message=f"{told[0]['field']}: {told[0]['message']}.", field=told[0]["field"], problems=told)
    graph["steps"] = substitute(graph, found)["steps"]
    return found


def _prune(graph: graphs.Graph, wish: Wish) -> None:
    """Leave out what `until` does not need."""
    steps = graph["steps"]
    for name in (*wish.until, *wish.fresh):
        if name not in steps:
            where = "until" if name in wish.until else "fresh"
            raise InvalidInput(message=f"The pipeline has no step “{name}”.", field=where, hint="One of: " + ", ".join(steps))
    if not wish.until:
        return
    needed, waiting = set(wish.until), list(wish.until)
    while waiting:
        for refs in steps[waiting.pop()]["inputs"].values():
            new = {ref["step"] for ref in refs if ref["step"] in steps} - needed
            needed |= new
            waiting += new
    graph["steps"] = {key: step for key, step in steps.items() if key in needed}


def _skip(graph: graphs.Graph, components: Mapping[str, Any], steps: list[Json], wish: Wish) -> None:
    """Which steps do not run, and why: they are pinned, only a pin would need them, or this is a dry run and they change something."""
    taken = pins.pinned(graph)
    if both := [key for key in wish.fresh if key in taken]:
        raise InvalidInput(message=f"“{both[0]}” is pinned, so it does not run.", field="fresh", hint="Unpin it to run it.")
    idle = unneeded(graph, set(taken))
    unsafe_ = unsafe(graph, components) - set(taken) if wish.sample else set()
    for step in steps:
        key = step["step"]
        if key in taken:
            step["skip"], step["source"] = "pinned", taken[key]["step_run"]
        elif key in idle:
            step["skip"] = "only needed by what is pinned"
        elif key in unsafe_:
            step["skip"] = "dry run"
        if wish.sample:
            # On a part of the data nothing has the name of a full run's result. What is equal byte for byte may be found by content, but a
            # source has no inputs that could tell.
            step["cache_key"] = ""
            step["cacheable"] = step["cacheable"] and bool(graph["steps"][key]["inputs"])
            step["flow"] = {name: part for name, part in (step["flow"] or {}).items() if name != "undo"} or None


def _choose(graph: graphs.Graph, steps: list[Json], wish: Wish, before: Run | None) -> None:
    """Which steps must run, which may be looked up, which are taken over from the run before. `steps` are in running order."""
    earlier: dict[str, StepRun] = {}
    if wish.reuse and before is not None:
        # What was put right after a failure is not done any more.
        undone = StepRun.objects.filter(run=before).exclude(undoes=None).values("undoes")
        earlier = {s.step: s for s in StepRun.objects.filter(run=before, parent=None, undoes=None).exclude(pk__in=undone)}
    unlooked: set[str] = set()
    changed: set[str] = set()
    for step in steps:
        key = step["step"]
        sources = {ref["step"] for refs in graph["steps"][key]["inputs"].values() for ref in refs}
        step["fresh"] = key in wish.fresh
        step["look"] = not step["fresh"] and not sources & unlooked
        if not step["look"] or step.get("skip"):
            unlooked.add(key)
        if step.get("skip"):
            changed.add(key)
            continue
        old = earlier.get(key)
        if old is not None and before is not None and step["look"] and not sources & changed and _same(old, step, before.graph, graph):
            step["source"] = str(old.pk)
        else:
            changed.add(key)


def _same(old: StepRun, step: Json, before: Mapping[str, Any], graph: Mapping[str, Any]) -> bool:
    """Whether the step has its result already: it ended well, and nothing that decides it has changed."""
    ended = old.status == "succeeded" or (old.status == "skipped" and old.skip_reason in ("cached", "reused"))
    deciding = (step["component"], step["component_version"], step["parameters"])
    return (
        ended
        and (old.component, old.component_version, old.parameters) == deciding
        and _shape(before, step["step"]) == _shape(graph, step["step"])
    )


def _shape(graph: Mapping[str, Any], key: str) -> Any:
    step = graph["steps"].get(key) or {}
    return (step.get("inputs"), step.get("map"), step.get("repeat"))


def _unpinned(graph: Mapping[str, Any], components: Mapping[str, Any]) -> graphs.Graph:
    """A copy in normal form; `slug@3#digest` of an earlier run is `slug@3` again."""
    copied = graphs.normalise(graph)
    for reference in graphs.dataset_references(copied, components):
        copied["steps"][reference.step]["parameters"][reference.parameter] = reference.text.partition("#")[0]
    return copied


def _override(graph: graphs.Graph, overrides: Overrides, components: Mapping[str, Any]) -> None:
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


def _pin(project: Project, graph: graphs.Graph, components: Mapping[str, Any]) -> list[tuple[str, Any]]:
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


def _edge(source_type: str, source: Any, relation: str, target_type: str, target: Any) -> Json:
    """Lineage that only the start knows: which pipeline version the run is of, which data set versions its steps read."""
    return {"source_type": source_type, "source_id": source, "relation": relation, "target_type": target_type, "target_id": target}
