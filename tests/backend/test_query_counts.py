"""A list of thirty costs the database as many questions as a list of three."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.models import ApiToken, AuditEntry, Invitation, Membership, Project, Role, User
from backend.datasets.models import Dataset, DatasetVersion, Upload
from backend.deployments.models import Deployment, Endpoint, Prediction, TrafficSplit
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.registry.models import Alias, Model, ModelVersion
from backend.runs.models import Attempt, LogLine, Run, StepOutput, StepRun, Trigger, TriggerEvent
from tests.backend.people import Person, person

GRAPH: dict[str, Any] = {"steps": {}}
HERE = "/api/v1/projects/lab"
LISTS = (
    "/api/v1/projects", "/api/v1/tokens", f"{HERE}/members", f"{HERE}/invitations", f"{HERE}/audit", f"{HERE}/uploads", f"{HERE}/datasets",
    f"{HERE}/datasets/d0/versions", f"{HERE}/pipelines", f"{HERE}/pipelines/p0/versions", f"{HERE}/runs", f"{HERE}/runs?sort=-metric:auc",
    f"{HERE}/triggers",
    f"{HERE}/triggers/t0/events", f"{HERE}/models",
    f"{HERE}/models/m0/versions", f"{HERE}/endpoints", f"{HERE}/endpoints/e0", f"{HERE}/endpoints/e0/predictions",
)  # fmt: skip


@pytest.fixture
def owner(db: None) -> Person:
    return person(Project.objects.create(slug="lab", name="Lab"), "owner")


def fill(owner: Person, numbers: range) -> Run:
    """One more of everything for each number, each with people, parents and children of its own; of what the first ones hold too."""
    project = owner.project
    soon = timezone.now() + timedelta(days=1)
    for n in numbers:
        who = User.objects.create_user(f"p{n}@example.com", None, name=f"P{n}")
        Membership.objects.create(project=project, user=who, role=Role("editor"))
        Membership.objects.create(
            project=Project.objects.create(slug=f"other-{n}", name="Other", created_by=who), user=owner.user, role=Role("viewer")
        )
        Invitation.objects.create(
            project=project, email=f"i{n}@example.com", role="viewer", token_hash=f"i{n}", invited_by=who, expires_at=soon
        )
        ApiToken.objects.create(user=owner.user, project=project, name=f"t{n}", prefix="hr_", token_hash=f"t{n}")
        AuditEntry.objects.create(project=project, actor=who, action="x", target_type="run")
        artifact = Artifact.objects.create(project=project, kind="Model", digest=f"{n:064}")
        dataset = Dataset.objects.create(project=project, slug=f"d{n}", name=f"D{n}", modality="table", created_by=who)
        for of in {dataset, Dataset.objects.get(slug="d0")}:
            version = DatasetVersion.objects.create(dataset=of, number=n + 1, data="0" * 64, created_by=who, artifact=artifact)
        Upload.objects.create(project=project, dataset=dataset, version=version, filename="a.csv", size=1, created_by=who)
        pipeline = Pipeline.objects.create(project=project, slug=f"p{n}", name=f"P{n}", draft=GRAPH, created_by=who)
        for line in {pipeline, Pipeline.objects.get(slug="p0")}:
            published = PipelineVersion.objects.create(pipeline=line, number=n + 1, graph=GRAPH, digest="0" * 64, created_by=who)
        run = Run.objects.create(
            project=project, number=n + 1, pipeline_version=published, graph=GRAPH, status="succeeded", metrics={"auc": n}, started_by=who
        )
        first = Run.objects.get(number=1)
        for under in {run, first}:
            step = StepRun.objects.create(
                project=project, run=under, step=f"s{n}", component="read_table", component_version="1", queue="cpu"
            )
            Attempt.objects.create(step_run=step, number=1)
            StepOutput.objects.create(step_run=step, port="table", artifact=artifact)
            LogLine.objects.create(run=under, step_run=step, attempt=1, at=timezone.now(), stream="log", text="line")
        trigger = Trigger.objects.create(project=project, slug=f"t{n}", name=f"T{n}", kind="webhook", pipeline=pipeline, owner=who)
        for by in {trigger, Trigger.objects.get(slug="t0")}:
            TriggerEvent.objects.create(trigger=by, key=f"k{n}", source="test", status="started", run=run)
        model = Model.objects.create(project=project, slug=f"m{n}", name=f"M{n}")
        for named in {model, Model.objects.get(slug="m0")}:
            made = ModelVersion.objects.create(
                model=named,
                number=n + 1,
                artifact=artifact,
                step_run=step,
                manifest={"input": {"kind": "row", "columns": []}},
                created_by=who,
            )
            Alias.objects.create(model=named, name=f"a{n}", version=made)
        endpoint = Endpoint.objects.create(project=project, slug=f"e{n}", name=f"E{n}", created_by=who)
        for at in {endpoint, Endpoint.objects.get(slug="e0")}:
            deployment = Deployment.objects.create(endpoint=at, model_version=made, status="live", created_by=who)
            at.split = TrafficSplit.objects.create(endpoint=at, weights=[{"deployment": str(deployment.pk), "weight": 100}], created_by=who)
            at.save()
            Prediction.objects.create(endpoint=at, deployment=deployment, status=200, latency_us=1)
    return first


def asked(owner: Person, paths: list[str]) -> dict[str, int]:
    found = {}
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            answer = owner.http.get(path, headers={"Authorization": f"Bearer {owner.secret}"})
        assert answer.status_code == 200, (path, answer.content)
        found[path] = len(queries)
    return found


def test_thirty_rows_cost_as_many_queries_as_three(owner: Person) -> None:
    first = fill(owner, range(3))
    run = f"{HERE}/runs/{first.pk}"
    paths = [*LISTS, run, f"{run}/logs", f"{run}/events", f"{run}/metrics"]
    asked(owner, paths)  # what is remembered for the process is asked once
    few = asked(owner, paths)
    fill(owner, range(3, 30))
    assert asked(owner, paths) == few
    runs = [str(found) for found in Run.objects.order_by("number").values_list("pk", flat=True)[:20]]
    two, twenty = (f"{HERE}/runs/compare?ids={','.join(runs[:many])}" for many in (2, 20))
    assert asked(owner, [two])[two] == asked(owner, [twenty])[twenty]
