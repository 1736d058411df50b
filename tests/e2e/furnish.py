"""A project filled over the API, for tests whose subject is something else than the filling."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.material import churn, shapes
from workers.sdk.client import Client

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Project:
    client: Client
    slug: str
    dataset: str
    pipeline: str
    run: str
    second_run: str
    model: str
    endpoint: str
    empty: str
    """Another project, without anything."""
    invitation: str
    """The secret of an open invitation."""


def bring(client: Client, path: Path, name: str, label: str | None = None) -> str:
    """Upload a file, mark its label, freeze its first version; returns the data set's slug."""
    slug = str(client.upload(path, name=name)["dataset"])
    version = f"/projects/{client.project}/datasets/{slug}/versions/1"
    if label:
        columns = client.request("GET", version)["columns"]
        client.request("PUT", f"{version}/columns", json={"columns": columns, "label_column": label})
    client.request("POST", f"{version}/freeze", json={"note": ""})
    until = time.monotonic() + 60
    while (now := client.request("GET", version))["status"] != "frozen":
        if time.monotonic() > until:
            raise AssertionError(f"{name} is still {now['status']}: {now['problems']}")
        time.sleep(0.2)
    return slug


def pipeline(client: Client, template: str, dataset: str, name: str, **parameters: Json) -> str:
    """A pipeline made from a template that reads `dataset`; further keyword arguments are parameters by step."""
    graph = next(t for t in client.list_templates() if t["slug"] == template)["graph"]
    for step, values in {"read": {"dataset": f"{dataset}@latest"}, **parameters}.items():
        graph["steps"][step].setdefault("parameters", {}).update(values)
    return str(client.create_pipeline(name, graph=graph)["slug"])


def furnish(client: Client, name: str) -> Project:
    """Data sets, pipelines, two finished runs, two versions of a model and an endpoint that was asked."""
    client.project = client.create_project(name, description="Who leaves, and what the quay cameras see.")["slug"]
    with tempfile.TemporaryDirectory() as folder:
        dataset = bring(client, churn(Path(folder) / "customers.csv"), "Customers", "churned")
        bring(client, shapes(Path(folder) / "shapes.zip"), "Shapes")
        client.upload(churn(Path(folder) / "late.csv", rows=40, seed=9), name="Late customers")
    made = pipeline(client, "table-classification", dataset, "Churn", register={"name": "Churn"})
    started = [client.start_run(made, parameters=parameters)["id"] for parameters in ({}, {"evaluate": {"threshold": 0.4}})]
    for run in map(client.wait_for_run, started):
        assert run["status"] == "succeeded", run["error"] or [s["error"] for s in run["step_runs"]]
    model = client.list_models()[0]["slug"]
    endpoint = client.deploy(model)
    row = {c["name"]: c["example"] for c in endpoint["manifest"]["input"]["columns"]}
    client.predict(endpoint["slug"], [row])
    invited = client.request("POST", f"/projects/{client.project}/invitations", json={"email": "guest@example.org", "role": "reviewer"})
    return Project(
        client=client,
        slug=client.project,
        dataset=dataset,
        pipeline=made,
        run=started[0],
        second_run=started[1],
        model=model,
        endpoint=endpoint["slug"],
        empty=client.create_project(f"{name} annexe")["slug"],
        invitation=invited["link"].rsplit("/", 1)[1],
    )
