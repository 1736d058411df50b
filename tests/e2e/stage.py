"""What an album of all pages needs beside the demos' data: people, invitations, runs that failed or were cancelled, a bad file.

Made over the API, once per data directory: the project `stage` is the mark that it is there.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.digits import furnish_digits
from tests.e2e.furnish import bring, pipeline
from tests.e2e.happenings import furnish_triggers
from tests.e2e.labels import Labels, furnish_crowd, furnish_labels
from tests.e2e.material import churn
from tests.e2e.versions import furnish_versions
from workers.sdk.client import ApiError, Client

Json = dict[str, Any]
PASSWORD = "the mill turns by night"
PEOPLE = {"viewer": ("ines@example.org", "Ines Amara"), "editor": ("jonas@example.org", "Jonas Weidenbach-Lindqvist")}
NEWCOMER = ("nora@example.org", "Nora Quist")
BIKES, INCOME, DIGITS = "bike-rentals-by-the-hour", "census-income", "handwritten-digits"
"""The demos' pipelines; two are called like their data sets."""
CROWD, PICTURES = "shapes-by-a-crowd", "shapes-on-the-quay"
READINGS = (
    "gauge,level,quay,remark\nA1,3.2,north,\nA2,2.9,north,calm\nA3,,south,\nA4,3.4,south,storm\n",
    "gauge,level,quay,crew\nA1,3.2,north,2\nA2,3.1,north,2\nA3,3.0,south,3\nA4,3.4,west,3\nA5,2.8,west,1\n",
)
BAD = "customer,age,churned\nC1,34,yes\nC2,41\nC3,29,no,late,again\n"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the things are that the album shows."""

    project: str
    empty: str
    """A project without anything."""
    tray: str
    """One to upload into."""
    invitation: str
    """The secret of an open invitation."""
    viewer: str
    newcomer: str
    """E-mail addresses; `PASSWORD` is the password of both. The newcomer is in no project."""
    held: str
    """One with limits: a run that waits for a person, behind it one that waits for the other's place; a pipeline with a pin and needs."""
    runs: dict[str, str]
    """Run by what it shows: `bikes`, `income`, `digits`, `scenes`, `mentions` for the last good one of each, `failed`, `cancelled`; of the
    held project `waiting`, `asking`, and `dry`, `undone`, `shards`, `inside`."""
    labels: Labels
    versions: str
    """A data set of pictures whose labels were frozen twice; the table `readings` beside it has two versions, too."""
    crowd: str
    """A label schema on which four people worked."""
    digits: str
    """A label schema about `scanned-digits`, which are embedded."""
    digit: int
    """An item of it."""
    trigger: str
    """A webhook with a history."""
    first: dict[str, str]
    """The slug of one table, one image data set, model and endpoint each."""


def set_up(client: Client) -> Stage:
    if not any(project["slug"] == "stage" for project in client.list_projects()):
        _people(client)
        _work(client)
        client.create_pipeline("Who leaves", template="table-classification", project=client.create_project("Tray")["slug"])
        client.create_project("Stage", description="Nothing yet.")
    held = _held(client)
    digits = furnish_digits(client)
    client.request("PUT", f"/projects/{client.project}/label-schemas/{digits}/suggestions/on-opening", json={"endpoint": "digits"})
    listed = client.request("GET", f"/projects/{client.project}/label-schemas/{digits}/items")["items"]
    invitation = client.request("POST", f"/projects/{client.project}/invitations", json={"email": "lena@example.org", "role": "reviewer"})
    called = {BIKES: "bikes", INCOME: "income", DIGITS: "digits", "find-digits-on-scenes": "scenes", "entities-in-texts": "mentions"}
    runs: dict[str, str] = {}
    for run in client.list_runs():
        runs.setdefault(called.get(run["pipeline"], "") if run["status"] == "succeeded" else run["status"], run["id"])
    return Stage(
        project=str(client.project),
        empty="stage",
        tray="tray",
        held="held",
        invitation=invitation["link"].rsplit("/", 1)[1],
        viewer=PEOPLE["viewer"][0],
        newcomer=NEWCOMER[0],
        runs={**runs, **held},
        labels=_labels(client),
        versions=furnish_versions(client),
        crowd=_crowd(client),
        digits=digits,
        digit=listed[0]["id"],
        trigger=furnish_triggers(client, BIKES),
        first={"table": INCOME, "image": DIGITS, "model": "income", "endpoint": "income"},
    )


def _labels(client: Client) -> Labels:
    """Made once; the one labelled picture with the highest number is shown."""
    base = f"/projects/{client.project}/label-schemas"
    if PICTURES not in [schema["slug"] for schema in client.request("GET", base)]:
        return furnish_labels(client)
    item = client.request("GET", f"{base}/{PICTURES}/items", params={"state": "complete"})["items"][-1]["id"]
    return Labels(pictures=PICTURES, texts="what-passengers-say", item=item, sounds="who-calls", films="what-drives")


def _crowd(client: Client) -> str:
    """Made once, on the pictures of `_labels`."""
    there = [schema["slug"] for schema in client.request("GET", f"/projects/{client.project}/label-schemas")]
    return CROWD if CROWD in there else furnish_crowd(client, crowd(client), "quayside")


def join(client: Client, project: str, email: str, name: str, role: str) -> Client:
    """A new member with an account of their own; returns what asks in their name."""
    made = client.request("POST", f"/projects/{project}/invitations", json={"email": email, "role": role})
    body = {"name": name, "email": email, "password": PASSWORD, "token": made["link"].rsplit("/", 1)[1]}
    with httpx.Client(base_url=client.base_url, trust_env=False) as browser:
        browser.get("/sign-in")
        browser.post("/api/v1/accounts", json=body, headers={"X-CSRFToken": browser.cookies["headrace_csrf"]}).raise_for_status()
        made = browser.post("/api/v1/tokens", json={"name": "stage"}, headers={"X-CSRFToken": browser.cookies["headrace_csrf"]})
        return Client(client.base_url, made.raise_for_status().json()["token"], project)


def crowd(client: Client) -> list[Client]:
    """Four annotators of the client's project."""
    people = {"abel": "Abel Tasman", "bea": "Beatriz Quintana", "chen": "Chen Wei", "dora": "Dora Lindqvist"}
    return [join(client, str(client.project), f"{short}@example.org", name, "annotator") for short, name in people.items()]


def _people(client: Client) -> None:
    if PEOPLE["viewer"][0] in [member["user"]["email"] for member in client.request("GET", f"/projects/{client.project}/members")]:
        return
    for role, (email, name) in PEOPLE.items():
        join(client, str(client.project), email, name, role)
    join(client, str(client.project), *NEWCOMER, "viewer")
    for member in client.request("GET", f"/projects/{client.project}/members"):
        if member["user"]["email"] == NEWCOMER[0]:
            client.request("DELETE", f"/projects/{client.project}/members/{member['user']['id']}")


def _work(client: Client) -> None:
    """A second version of a model, put behind its endpoint and rolled back; a run that fails, one that is cancelled; a draft."""
    datasets = {dataset["slug"] for dataset in client.list_datasets()}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        if "late-customers" not in datasets:
            client.upload(churn(where / "late.csv", rows=40, seed=9), name="Late customers")
        if "readings" not in datasets:
            for number, text in enumerate(READINGS):
                (where / "readings.csv").write_text(text)
                more = {"dataset": "readings"} if number else {"name": "Readings"}
                client.upload(where / "readings.csv", options={"freeze": True}, **more)
        if "customers" not in datasets:
            bring(client, churn(where / "customers.csv", rows=300), "Customers")
        (where / "torn.csv").write_text(BAD)
        with contextlib.suppress(ApiError):  # that it is refused is what the album shows
            client.upload(where / "torn.csv", name="Torn list")
    bikes = client.get_run(next(run["id"] for run in client.list_runs() if run["pipeline"] == BIKES))
    trained = next(step for step in bikes["step_runs"] if step["component"].startswith("train_"))
    again = client.start_run(BIKES, parameters={trained["step"]: {"learning_rate": 0.2}})
    client.wait_for_run(again["id"])
    client.deploy("bike-rentals@2", endpoint="bikes")
    client.request("POST", f"/projects/{client.project}/endpoints/bikes/rollback", json={})
    graph = next(t for t in client.list_templates() if t["slug"] == "table-classification")["graph"]
    graph["steps"]["read"].setdefault("parameters", {})["dataset"] = "customers@latest"
    failing = client.create_pipeline("Who leaves", graph=graph)["slug"]
    client.wait_for_run(client.start_run(failing)["id"])
    there = {key: step for key, step in graph["steps"].items() if key not in ("read", "split")}
    for step in there.values():
        step["inputs"] = {port: [end for end in ends if end["step"] in there] for port, ends in step["inputs"].items()}
    client.create_pipeline("Half drawn", graph={**graph, "steps": there})
    client.create_pipeline("Blank sheet")
    stopped = client.start_run(INCOME, use_cache=False)
    client.cancel_run(stopped["id"])
    client.wait_for_run(stopped["id"])


ASK = {
    "read": {"component": "read_table", "parameters": {"dataset": "customers@latest"}},
    "ask": {
        "component": "approval",
        "parameters": {"question": "May the new model answer?"},
        "inputs": {"value": [{"step": "read", "output": "table"}]},
    },
}


def _held(client: Client) -> dict[str, str]:
    """Runs of the project `held` by what they show; its name is what each is found by."""
    if not any(project["slug"] == "held" for project in client.list_projects()):
        before, client.project = client.project, client.create_project("Held", description="Two runs, one place.")["slug"]
        _fill_held(client)
        client.project = before
    return {run["name"]: run["id"] for run in client.list_runs(project="held") if run["name"]}


def _fill_held(client: Client) -> None:
    client.request("PUT", f"/projects/{client.project}/secrets/SHOP_TOKEN", json={"value": "correct horse battery"})
    with tempfile.TemporaryDirectory() as folder:
        bring(client, churn(Path(folder) / "customers.csv", rows=1200), "Customers", "churned")
    made = pipeline(client, "table-classification", "customers", "Churn", register={"name": "Churn"})
    full = client.wait_for_run(client.start_run(made)["id"])
    client.wait_for_run(client.start_run(made, name="dry", sample={"rows": 200})["id"])
    nested = client.create_pipeline(
        "Parts",
        template="nested",
        parameters={
            "read": {"dataset": "customers@latest"}, "ready": {"target": "churned"},
            "train": {"target": "churned", "positive_label": "yes", "trees": 20},
        },
    )["slug"]  # fmt: skip
    client.wait_for_run(client.start_run(nested, name="inside")["id"])
    graph = client.request("GET", f"/projects/{client.project}/pipelines/{made}/draft")["graph"]
    shards: Json = {
        "read": graph["steps"]["read"],
        "clean": {"component": "clean", "inputs": {"table": [{"step": "read", "output": "table"}]}},
    }
    shards["clean"]["map"] = {"port": "table", "size": 4, "at_once": 4}
    client.wait_for_run(client.start_run(client.create_pipeline("Shards", graph={"steps": shards})["slug"], name="shards")["id"])
    parts: Json = {**shards, "split": {"component": "split_rows", "parameters": {"test_share": 0.5, "validation_share": 0.5}}}
    parts["clean"] = {
        "component": "clean",
        "inputs": shards["clean"]["inputs"],
        "undo": {"component": "select_columns", "parameters": {"drop": ["age"]}},
    }
    parts["split"]["inputs"] = {"table": [{"step": "clean", "output": "table"}]}
    client.wait_for_run(client.start_run(client.create_pipeline("Undone", graph={"steps": parts})["slug"], name="undone")["id"])
    pinned = graph["steps"]
    ran = next(step["id"] for step in full["step_runs"] if step["step"] == "split")
    pinned["split"]["pin"] = {"step_run": ran, "run": full["number"]}
    pinned["train"]["needs"] = {"memory_gb": 8, "labels": {"site": "lab"}}
    client.create_pipeline("Pinned", graph=graph)
    client.request("PUT", f"/projects/{client.project}/limits", json={"steps_at_once": None, "runs_at_once": 1})
    client.start_run(client.create_pipeline("Ask", graph={"steps": ASK})["slug"], name="asking")
    client.start_run(made, name="waiting", priority="high")
