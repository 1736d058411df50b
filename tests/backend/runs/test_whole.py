"""A run's page is written by the database: it must say of every step what the answers that are made in Python say."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.models import Project
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs import queries
from backend.runs.models import Host, Run, StepOutput, StepRun
from backend.runs.schemas import RunOut, StepRunOut
from tests.backend.people import Person
from workers.sdk import graph as graphs

Json = dict[str, Any]
ASKED = {"question": 'Ship "it"?', "role": "operator", "fields": [{"name": "t", "type": "number", "value": "1"}], "of_others": "not told"}


def eventful(project: Project, **said: Any) -> Run:
    """A run whose steps have everything that a step can have."""
    graph = graphs.normalise({
        "parameters": {"n": {"type": "integer"}},
        "steps": {"a": {"component": "number", "name": 'Näme \\ "quoted"'}, "b": {"component": "add", "map": {"port": "first"}}},
    })  # fmt: skip
    graph = {**graph, "code": {"code:rows@1": {"title": "Rows of mine"}}, "pipelines": {"pipeline:pre@2": {"title": "Prepare"}}}
    pipeline = Pipeline.objects.create(project=project, slug="eventful", name="Eventful")
    version = PipelineVersion.objects.create(pipeline=pipeline, number=1, graph=graph, digest="")
    run = Run.objects.create(project=project, number=7, pipeline_version=version, graph=graph, **said)
    now, places = timezone.now().replace(microsecond=120_000), iter(range(100))

    def one(step: str, component: str = "number", **fields: Any) -> StepRun:
        usual = {"queue": "cpu", "component_version": "1", "position": next(places), "status": "succeeded"}
        return StepRun.objects.create(project=project, run=run, step=step, component=component, **{**usual, **fields})

    first = one("a", parameters={"value": 1e-7, "big": 2**60, "text": "a\u2028b"}, ready_at=now, started_at=now.replace(microsecond=0))
    mapped = one("b", "add", status="running", children_total=3, children_open=1, children_failed=1, progress=1 / 3, message="2 of 3")
    one("b[0]", "add", parent=mapped, shard=0)
    one("mine", "code:rows@1", status="failed", error={"code": "crash", "message": "no", "internal": 1}, finished_at=now)
    one("inner", "pipeline:pre@2")
    one("inner.gone", "vanished", status="skipped", skip_reason="upstream failed")
    one("a~undo", "mark", undoes=first, status="cancelled", attempt=2, max_attempts=3)
    one("ask", "approval", status="waiting", state={"question": ASKED}, wait_until=now + timedelta(hours=1))
    one("open", "approval", status="waiting", state={"question": ASKED})
    one("asked", "approval", state={"question": ASKED, "decision": {"answer": "approve", "name": "Ada", "at": "2026-01-02T03:04:05Z"}})
    Host.objects.create(name="forge", queues=["cpu"], beat_at=now, studio=True)
    one("large", status="queued", needs={"gpu": 9})
    one("behind", status="queued", needs={"gpu": 9}, blocked_by=1)
    table = Artifact.objects.create(project=project, kind="Table", digest="d" * 64, size=2**40, media_type="x/y", metadata={"rows": 3})
    StepOutput.objects.create(step_run=first, port="table", artifact=table, metadata={"label": "y"})
    StepOutput.objects.create(step_run=first, port="again", artifact=table, metadata={})
    return run


def test_the_page_of_a_run_says_what_every_other_answer_says_of_its_steps(editor: Person, project: Project) -> None:
    run = eventful(project, parameters={"a": {"value": 3}}, values={"n": 1}, metrics={"score": 0.5}, sample={"rows": 9})
    here = editor.get(f"/runs/{run.pk}")
    there = json.loads(RunOut.model_validate(queries.details([queries.find(project, run.pk)])[0]).model_dump_json())
    by_step = {step["step"]: step for step in there["step_runs"]}
    for step in here["step_runs"]:  # one by one: a difference is told with its step
        assert json.loads(StepRunOut.model_validate(step).model_dump_json()) == by_step.pop(step["step"])
        assert set(step) == set(StepRunOut.model_fields)
    assert not by_step and [s["step"] for s in here["step_runs"]] == [s["step"] for s in there["step_runs"]]
    assert json.loads(RunOut.model_validate(here).model_dump_json()) == there
    told = {step["step"]: step for step in here["step_runs"]}
    assert len(told["a"]["started_at"]) == len(told["a"]["ready_at"]), "moments are compared as text"
    assert told["large"]["message"] == "No host has 9 GPUs; none has any." and not told["behind"]["message"]
    assert told["ask"]["question"]["until"] and "of_others" not in told["ask"]["question"] and told["asked"]["question"] is None
    assert [o["artifact"]["metadata"] for o in told["a"]["outputs"]] == [{"rows": 3}, {"label": "y"}]
    assert told["mine"]["title"] == "Rows of mine" and set(here["graph"]) == {"parameters", "steps"}


def test_an_empty_run_and_another_projects_are_answered_too(editor: Person, project: Project) -> None:
    pipeline = Pipeline.objects.create(project=project, slug="empty", name="Empty")
    version = PipelineVersion.objects.create(pipeline=pipeline, number=1, graph={}, digest="")
    run = Run.objects.create(project=project, number=1, pipeline_version=version, graph={})
    here = editor.get(f"/runs/{run.pk}")
    assert here["step_runs"] == [] and here["graph"] == {"parameters": {}, "steps": {}}
    Run.objects.filter(pk=run.pk).update(project=Project.objects.create(slug="theirs", name="Theirs"))
    assert editor.ask("GET", f"/runs/{run.pk}").status_code == 404


def test_what_is_asked_of_one_step_of_a_large_run_does_not_read_its_graph(editor: Person, project: Project) -> None:
    run = eventful(project)
    with CaptureQueriesContext(connection) as asked:
        editor.get(f"/runs/{run.pk}/logs?step=a")
        editor.get(f"/runs/{run.pk}/events")
    assert not [query["sql"] for query in asked if '"runs_run"."graph"' in query["sql"]]
