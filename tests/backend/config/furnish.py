"""A project that holds one of everything: a table and images, a pipeline with versions, a finished run with outputs, metrics and
log lines, a model version, an endpoint with predictions. What the tests that walk the whole API ask about."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from backend.artifacts.actions import create_artifact
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.models import Project
from backend.datasets.models import DatasetVersion, Item
from backend.datasets.tasks import freeze_version
from backend.deployments.models import Deployment, Endpoint, Prediction
from backend.runs.hosts import actions as hosts
from backend.runs.models import Attempt, Demo, Host, LogLine, MetricPoint, StepRun
from tests.backend.config.furnish_labels import furnish_labels, right_labels
from tests.backend.config.furnish_similarity import furnish_similarity, right_similarity
from tests.backend.datasets.conftest import Uploader, image, profiled, zipped
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person
from tests.backend.runs.test_runs import claim, finish, sql, value

CSV = b"when,city,temp,note\n" + b"".join(b"2024-01-%02d,Delft,%d.5,a %d\n" % (1 + n % 28, n, n) for n in range(30))
Json = dict[str, Any]
GRAPH: Json = {
    "steps": {
        "read": {"component": "read_table", "parameters": {"dataset": "weather@1"}},
        "split": {"component": "split_rows", "inputs": {"table": [{"step": "read", "output": "table"}]}},
    }
}
SOURCE = '''def shout(table: Table) -> Table:
    """Shout

    Writes the names of the columns in capitals.
    """
    arrow = table.arrow()
    return Table.from_arrow(arrow.rename_columns([name.upper() for name in arrow.column_names]))
'''
CLOUD: Json = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "ready", "data": {"version": 1}}
YAML = "headrace: pipeline/1\nname: Sea\nsteps:\n  read:\n    component: read_table\n    parameters:\n      dataset: weather@1\n"


@dataclass(kw_only=True)
class Furnished:
    """Where things are: `paths` are the path parameters that lead to something real."""

    owner: Person
    paths: dict[str, str]
    artifacts: dict[str, str]
    """Id by kind."""
    upload: str
    """One that still receives, three bytes in."""


def frozen(upload: dict[str, Any]) -> DatasetVersion:
    version = DatasetVersion.objects.get(dataset__slug=upload["dataset"], number=upload["version"])
    freeze_version(str(version.pk))
    profiled(upload)
    version.refresh_from_db()
    assert version.status == "frozen", version.problems
    return version


def finished_run(owner: Person, artifact: Artifact) -> dict[str, Any]:
    """Each step did something, wrote a line and a point; `read` gave a table, `split` a number."""
    run = owner.post("/runs", {"pipeline": "tides", "name": "first"})
    table = {
        "port": "table", "kind": "Table", "digest": artifact.digest, "size": artifact.size, "media_type": artifact.media_type,
        "inline": None, "metadata": artifact.metadata,
    }  # fmt: skip
    claimed = claim(StepRun.objects.get(run=run["id"], step="read").pk)["next"]
    now = timezone.now()
    for number, level in enumerate(("", "INFO", "ERROR")):
        LogLine.objects.create(
            run_id=run["id"], step_run_id=claimed["id"], attempt=1, at=now, stream="log", level=level, text=f"line {number}"
        )
        MetricPoint.objects.create(
            run_id=run["id"], step_run_id=claimed["id"], attempt=1, name="loss", index=number, value=None if number == 1 else 0.5, at=now
        )
    finish(claimed, [table])
    finish(claim(StepRun.objects.get(run=run["id"], step="split").pk)["next"], value(7))  # another queue: not handed over
    assert Attempt.objects.filter(step_run__run=run["id"]).count() == 2
    done: dict[str, Any] = owner.get(f"/runs/{run['id']}")
    assert done["status"] == "succeeded", done
    return done


def waiting_run(owner: Person) -> dict[str, Any]:
    """Its step `ask` waits for a person."""
    ask = {"component": "approval", "inputs": {"value": [{"step": "read", "output": "table"}]}}
    owner.post("/pipelines", {"name": "Ask", "graph": {"steps": {"read": GRAPH["steps"]["read"], "ask": ask}}})
    run: dict[str, Any] = owner.post("/runs", {"pipeline": "ask"})
    claimed = claim(StepRun.objects.get(run=run["id"], step="ask").pk)["next"]
    question = {"question": "Go on?", "role": "operator", "people": [], "fields": [], "at_deadline": "reject", "metrics": None}
    sql("ledger_suspend(%s::uuid, %s::int, 'w', %s::jsonb, '[]'::jsonb, '[]'::jsonb, 1, true, NULL, false, 1)",
        claimed["id"], claimed["attempt"], {"question": question})  # fmt: skip
    assert owner.get(f"/runs/{run['id']}")["status"] == "waiting"
    return run


def furnish(owner: Person, folder: Path) -> Furnished:
    """Fill the owner's project."""
    project: Project = owner.project
    upload = Uploader(owner)
    table = frozen(upload.ready(CSV, "weather.csv", name="Weather", options={"freeze": True}))
    upload.ready(CSV, "weather.csv", dataset="weather")  # version 2 is a draft
    photos = {"a/1.png": image("red"), "a/2.png": image("blue"), "b/3.png": image("white")}
    frozen(upload.ready(zipped(photos), "shapes.zip", name="Shapes", options={"freeze": True}))
    leaves = {"a/1.png": image("red"), "a/2.png": image("blue")}
    upload.ready(zipped(leaves), "leaves.zip", name="Leaves", options={"freeze": True})
    upload.ready(zipped({"a/1.png": image("green"), "b/2.png": image("blue")}), "leaves.zip", dataset="leaves")
    receiving = upload.start(b"a,b\n1,2\n", "late.csv", name="Late")
    upload.chunk(receiving, 0, b"a,b")
    owner.post("/pipelines", {"name": "Tides", "graph": GRAPH})
    owner.post("/pipelines/tides/publish", {"note": "first"})
    run = finished_run(owner, table.artifact)
    queued = owner.post("/runs", {"pipeline": "tides", "use_cache": False})
    demo = Demo.objects.create(project=project, slug="bikes", started_by=owner.user, status="running", progress=0.5, message="Reading")
    model = flowers(project, folder / "m1")
    for more in ({"aliases": ["champion"]}, {}):
        metrics = {"accuracy": {"value": 0.97, "low": 0.95, "high": 0.99}}
        owner.post("/models", {"model": "Flowers", "artifact": model.digest, "metrics": metrics, "parity": PARITY, **more})
    made = [owner.post("/endpoints", {"model": f"flowers@{number}"}) for number in (1, 2)][-1]
    Deployment.objects.filter(endpoint_id=made["id"]).update(status="live", live_at=timezone.now())
    deployments = list(Deployment.objects.filter(endpoint_id=made["id"]).order_by("created_at"))
    Deployment.objects.filter(pk=deployments[0].pk).update(status="stopped", stopped_at=timezone.now())
    for status, output in ((200, [{"label": "setosa"}]), (422, None)):
        Prediction.objects.create(
            endpoint=Endpoint.objects.get(), deployment=deployments[1], model_version_label="flowers@2", status=status, latency_us=900,
            input=[{"length": 1}], output=output,
        )  # fmt: skip
    picture = store().put_bytes(image("red"))
    eye = flowers(project, folder / "m2", input={"kind": "image", "height": 6, "width": 8, "channels": 3})
    owner.post("/models", {"model": "Eye", "artifact": eye.digest, "parity": PARITY})
    seeing = owner.post("/endpoints", {"model": "eye"})
    Deployment.objects.filter(endpoint_id=seeing["id"]).update(status="live", live_at=timezone.now())
    asked = Prediction.objects.create(
        endpoint_id=seeing["id"], deployment_id=seeing["deployments"][0]["id"], model_version_label="eye@1", status=200, latency_us=900,
        input=[{"image": picture.digest}], output=[{"label": "setosa"}],
    )  # fmt: skip
    waiting = waiting_run(owner)
    owner.post("/code", {"name": "Shout", "source": SOURCE})
    owner.put("/secrets/API_KEY", {"value": "very secret indeed"})
    trigger = owner.post("/triggers", {"name": "Shop", "kind": "webhook", "pipeline": "tides", "most_at_once": 100})
    event = owner.post("/triggers/shop/fire", {"data": {"version": 1}})
    owner.user.is_staff = True
    owner.user.save(update_fields=["is_staff"])
    gone = Host.objects.create(
        name="gone", labels={"site": "factory-3"}, devices=[{"name": "fake0", "memory": 0}], versions={"python": "3.11"}
    )
    join_token, join_secret = hosts.make_token(owner.user, "Hall", 24)
    figures = [{"title": "ROC", "figure": {"data": [], "layout": {}}}]
    create_artifact(project, "Figures", store().put_bytes(repr(figures).replace("'", '"').encode(), "application/json"))
    create_artifact(project, "Metrics", inline={"auc": 0.9, "none": None})
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, id FROM artifacts_artifact WHERE project_id = %s ORDER BY created_at", [project.pk])
        artifacts = {kind: str(found) for kind, found in cursor.fetchall()}
    labels = furnish_labels(owner)
    leaf = Item.objects.filter(dataset__project=project, dataset__slug="leaves").latest("id")
    return Furnished(
        owner=owner,
        artifacts=artifacts,
        upload=receiving["id"],
        paths={
            "project": project.slug, "artifact_id": artifacts["Table"], "upload_id": receiving["id"], "dataset": "weather", "number": "1",
            "index": "1", "item_id": str(leaf.pk),
            "pipeline": "tides", "run_id": run["id"], "queued_run": queued["id"], "step": "read", "demo_id": str(demo.pk),
            "slug": "bikes", "model": "flowers", "alias": "champion", "endpoint": "flowers", "deployment": str(deployments[0].pk),
            "node_type": "run", "node_id": run["id"], "path": "manifest.json", "model_digest": model.digest, "prediction_id": str(asked.pk),
            "waiting_run": waiting["id"], "code": "shout", "name": "API_KEY",
            "trigger": "shop", "event_id": event["id"], "token": trigger["url"].rpartition("/")[2], "secret": trigger["secret"],
            **labels, **furnish_similarity(owner, labels),
            "host_id": str(gone.pk), "token_id": str(join_token.pk), "join_secret": join_secret,
        },
    )  # fmt: skip


def signed(secret: str, body: Json) -> str:
    """As GitHub signs what schemathesis will send for this body."""
    return "sha256=" + hmac.new(secret.encode(), json.dumps(body).encode(), "sha256").hexdigest()


def right(furnished: Furnished) -> dict[str, list[Json]]:
    """By operation, requests that must be answered with success: what of path, query and body differs from the usual."""
    at = furnished.paths
    kinds = [{"artifact_id": one} for one in furnished.artifacts.values()]
    shapes, leaves = {"dataset": "shapes"}, {"dataset": "leaves"}
    asked = {"run_id": at["waiting_run"], "step": "ask"}
    draft = {"number": "2"}
    column = {"name": "temp", "type": "text", "nullable": True, "format": ""}
    return {
        **right_labels(at),
        **right_similarity(at),
        "GET /artifacts/{artifact_id}": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/preview": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/download": [{"path": p} for p in kinds],
        "GET /artifacts/{artifact_id}/files/{path}": [
            {"path": {"artifact_id": furnished.artifacts["Model"]}},
            {"path": {"artifact_id": furnished.artifacts["Model"], "path": "model.onnx"}},
            {"path": {"artifact_id": furnished.artifacts["Images"], "path": "1"}},
            {"path": {"artifact_id": furnished.artifacts["Images"], "path": "1"}, "query": {"thumbnail": True}},
        ],
        "GET /lineage/{node_type}/{node_id}": [{}, {"path": {"node_type": "artifact", "node_id": at["artifact_id"]}}],
        "POST /uploads": [{"body": {"filename": "a.csv", "size": 4, "name": "New", "options": {"delimiter": ";"}}}],
        "PUT /uploads/{upload_id}/chunks": [{"query": {"offset": 3}, "body": b"\n1,2\n"}],
        "POST /uploads/{upload_id}/complete": [{"before": ("PUT", f"/uploads/{furnished.upload}/chunks?offset=3", b"\n1,2\n")}],
        "GET /datasets": [{}, {"query": {"search": "weather", "limit": 1}}, {"query": {"deleted": True}}],
        "PATCH /datasets/{dataset}": [{"body": {"name": "Weather of Delft", "licence": "CC0"}}],
        "POST /datasets/{dataset}/restore": [{"before": ("DELETE", "/datasets/weather", None)}],
        "GET /datasets/{dataset}": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}": [{}, {"path": draft}, {"path": shapes}],
        "PUT /datasets/{dataset}/versions/{number}/columns": [{"path": draft, "body": {"columns": [column]}}],
        "POST /datasets/{dataset}/versions/{number}/preview": [{"path": draft, "body": {}}, {"path": draft, "body": {"delimiter": ";"}}],
        "POST /datasets/{dataset}/versions/{number}/reread": [{"path": draft, "body": {"header": False}}],
        "POST /datasets/{dataset}/versions/{number}/freeze": [{"path": draft, "body": {"note": "right"}}],
        "GET /datasets/{dataset}/versions/{number}/manifest": [{}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}/rows": [
            {},
            {"path": draft, "query": {"search": "delft", "sort": "-temp", "filter": "temp > 3", "limit": 2}},
        ],
        "GET /datasets/{dataset}/versions/{number}/items": [{"path": shapes}, {"path": shapes, "query": {"label": "a", "search": "2"}}],
        "GET /datasets/{dataset}/versions/{number}/items/{index}/file": [
            {"path": shapes},
            {"path": shapes, "query": {"thumbnail": True}},
            {"path": shapes, "query": {"overview": True}},
        ],
        "GET /datasets/{dataset}/versions/{number}/changes": [
            {"path": draft, "query": {"since": 1}},
            {"path": {"dataset": "leaves", "number": "2"}, "query": {"since": 1}},
            {"path": {"dataset": "leaves", "number": "1"}, "query": {"since": 2, "kind": "removed", "search": "2"}},
        ],
        "GET /datasets/{dataset}/items/{item_id}/file": [{"path": leaves}, {"path": leaves, "query": {"thumbnail": True}}],
        "GET /datasets/{dataset}/versions/{number}/profile": [{}, {"path": draft}, {"path": shapes}],
        "GET /datasets/{dataset}/versions/{number}/download": [
            *({"query": {"format": f}} for f in ("csv", "parquet", "jsonl")),
            {"path": draft, "query": {"format": "parquet"}},
            {"path": shapes, "query": {"format": "zip"}},
        ],
        "POST /pipelines/check": [{"body": GRAPH}],
        "POST /pipelines/parse": [{"body": {"yaml": YAML}}],
        "GET /pipelines": [{}, {"query": {"search": "tides", "limit": 1}}, {"query": {"deleted": True}}],
        "POST /pipelines": [{"body": {"name": "A"}}, {"body": {"name": "B", "template": "bikes"}}, {"body": {"name": "C", "yaml": YAML}}],
        "POST /pipelines/import": [{"body": {"yaml": YAML}}, {"body": {"yaml": YAML, "slug": "tides"}}],
        "PATCH /pipelines/{pipeline}": [{"body": {"description": "of the sea"}}],
        "POST /pipelines/{pipeline}/restore": [{"before": ("DELETE", "/pipelines/tides", None)}],
        "PUT /pipelines/{pipeline}/draft": [{"body": {"base": "now", "graph": GRAPH}}],
        "POST /pipelines/{pipeline}/publish": [{"body": {"note": ""}}],
        "GET /pipelines/{pipeline}/yaml": [{}, {"query": {"version": 1}}],
        "GET /runs": [
            *({"query": {"sort": sort}} for sort in ("created", "-duration", "number", "metric:score")),
            {"query": {"status": "succeeded", "pipeline": "tides", "search": "#1", "limit": 1}},
        ],
        "POST /runs": [
            {"body": {"pipeline": "tides", "version": 1, "parameters": {"split": {"test_share": 0.3}}}},
            {"body": {"pipeline": "tides", "priority": "urgent", "sample": {"rows": 2, "how": "head"}}},
        ],
        "GET /runs/compare": [{"query": {"ids": f"{at['run_id']},{at['queued_run']}"}}],
        "GET /runs/{run_id}": [{}, {"path": {"run_id": at["queued_run"]}}],
        "POST /runs/{run_id}/cancel": [{"path": {"run_id": at["queued_run"]}}],
        "POST /runs/{run_id}/rerun": [{"body": {"parameters": {}, "use_cache": False}}],
        "PUT /runs/{run_id}/priority": [{"path": {"run_id": at["queued_run"]}, "body": {"priority": "high"}}],
        "GET /runs/{run_id}/waits": [{}, {"path": {"run_id": at["queued_run"]}}, {"path": asked, "query": {"step": "ask"}}],
        "GET /runs/{run_id}/forecast": [{}, {"path": {"run_id": at["queued_run"]}}],
        "GET /pipelines/{pipeline}/forecast": [{}, {"query": {"version": 1}}],
        "PUT /limits": [{"body": {"steps_at_once": 2, "runs_at_once": None}}, {"body": {"steps_at_once": None, "runs_at_once": None}}],
        "GET /runs/{run_id}/logs": [{}, {"query": {"step": "read", "attempt": 1, "search": "line 1"}}],
        "GET /runs/{run_id}/metrics": [{}, {"query": {"step": "read", "max_points": 10}}],
        "POST /runs/{run_id}/steps/{step}/decision": [{"path": asked, "body": {"answer": "approve", "comment": "Good."}}],
        "GET /runs/{run_id}/steps/{step}": [{}, {"path": asked}],
        "GET /catalog": [{}, {"query": {"pipeline": "tides"}}],
        "POST /code": [{"body": {"name": "Whisper", "source": SOURCE}}],
        "POST /code/check": [{"body": {"source": SOURCE}}, {"body": {"source": "def wrong("}}],
        "POST /code/{code}/versions": [{"body": {"source": SOURCE.replace("upper", "lower")}}],
        "POST /code/{code}/restore": [{"before": ("DELETE", "/code/shout", None)}],
        "PUT /secrets/{name}": [{"body": {"value": "another secret"}}, {"path": {"name": "OTHER"}, "body": {"value": "a secret too"}}],
        "POST /hosts/join": [
            {"body": {"token": at["join_secret"], "id": "01890000-0000-7000-8000-000000000009", "name": "a", "labels": {"a": "b"}}}
        ],
        "PATCH /hosts/{host_id}": [{"body": {"wanted": "paused"}}],
        "POST /join-tokens": [{"body": {"name": "Hall 3", "hours": 2}}],
        "GET /cron-times": [{"query": {"schedule": "0 6 * * *", "time_zone": "Europe/Amsterdam"}}],
        "GET /triggers": [{}, {"query": {"deleted": True}}],
        "POST /triggers": [
            {"body": {"name": "Night", "kind": "cron", "pipeline": "tides", "parameters": {"split": {"test_share": 0.3}}}},
            {"body": {"name": "Hook", "kind": "webhook", "pipeline": "tides", "mapping": {"read": {"dataset": "$event.data.version"}}}},
        ],
        "PATCH /triggers/{trigger}": [{"body": {"name": "Shops", "coalesce_s": 5}}, {"body": {"version": 1, "config": {"types": ["a"]}}}],
        "POST /triggers/{trigger}/restore": [{"before": ("DELETE", "/triggers/shop", None)}],
        "POST /triggers/{trigger}/fire": [{"body": {"data": {"a": [1]}}}, {"body": {}}],
        "GET /triggers/{trigger}/events": [{}, {"query": {"status": "started", "limit": 1}}],
        "POST /hooks/{token}": [
            {"body": {"a": 1}, "headers": {"X-Hub-Signature-256": signed(at["secret"], {"a": 1})}},
            {"body": CLOUD, "headers": {"X-Hub-Signature-256": signed(at["secret"], CLOUD)}},
        ],
        "POST /models": [{"body": {"model": "Petals", "artifact": at["model_digest"], "parity": {"largest_difference": 0}}}],
        "GET /models": [{}, {"query": {"search": "flow"}}],
        "PATCH /models/{model}": [{"body": {"description": "of iris"}}],
        "PUT /models/{model}/aliases/{alias}": [{"body": {"version": 2}}, {"path": {"alias": "new"}, "body": {"version": 1}}],
        "POST /endpoints": [{"body": {"model": "flowers@champion", "endpoint": "other", "name": "Other"}}],
        "POST /endpoints/{endpoint}/predict": [{"body": {"instances": [{"length": 1.4, "width": 0.2}]}}],
        "GET /endpoints/{endpoint}/predictions/{prediction_id}/images/{index}": [{"path": {"endpoint": "eye", "index": "0"}}],
        "POST /endpoints/{endpoint}/restore": [{"before": ("DELETE", "/endpoints/flowers", None)}],
        "POST /endpoints/{endpoint}/rollback": [{"body": {"deployment": at["deployment"]}}, {"body": {}}],
        "GET /endpoints/{endpoint}/predictions": [{}, {"query": {"limit": 1}}],
        "GET /endpoints/{endpoint}/live-history": [{}, {"query": {"at": "2030-01-01T00:00:00Z", "limit": 1}}],
        "GET /endpoints/{endpoint}/traffic": [{}, {"query": {"minutes": 60}}],
    }
