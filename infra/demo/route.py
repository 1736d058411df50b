"""The phases of a demo, each with a progress bar on the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.supervisor.layout import ROOT
from infra.supervisor.studio import Studio
from workers.sdk.client import ApiError, Client

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must come out, or the demo has failed: a metric of the evaluation, at least (or at most) this."""

    metric: str
    bound: float
    at_most: bool = False

    def holds(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound}"


DEMOS: dict[str, Expected] = {
    "digits": Expected(metric="accuracy", bound=0.97),
    "income": Expected(metric="roc_auc", bound=0.925),
    "bikes": Expected(metric="r2", bound=0.7),
    "mails": Expected(metric="accuracy", bound=0.88),
    "scenes": Expected(metric="map_50", bound=0.85),
    "mentions": Expected(metric="f1", bound=0.85),
}


FIRST = ("map", "map_50", "accuracy", "roc_auc", "balanced_accuracy", "macro_f1", "f1", "precision", "recall", "r2", "rmse", "mae")
"""What people judge a model by comes first; the rest in alphabetical order."""


SHOWN = 5
"""Metrics of one evaluation in the table; the run's page has them all."""


def rank(metric: str) -> tuple[int, str]:
    return (FIRST.index(metric) if metric in FIRST else len(FIRST), metric)


def _told(answer: Json) -> str:
    """What a model says, in a few words."""
    if answer.get("boxes") is not None:
        found = ", ".join(box["label"] for box in answer["boxes"])
        return f"{len(answer['boxes'])} boxes" + (f": {found}" if found else "")
    if answer.get("spans") is not None:
        return ", ".join(f"“{span['text']}” is a {span['label']}" for span in answer["spans"][:3]) or "no spans"
    return f"“{answer['label']}”" if answer.get("label") is not None else f"{answer['value']:.2f}"


class Failed(Exception):
    """A phase did not succeed; the text says why."""


def run(studio: Studio, names: list[str]) -> bool:
    """Walk the route for each demo; True only if every phase of every demo succeeded."""
    console = Console(highlight=False)
    console.print(f"Studio     {studio.url}")
    try:
        account = _account(studio)
    except Failed as reason:
        console.print(f"[bold red]✗[/] {reason}")
        return False
    good = True
    with Client(studio.url, account["token"], account["project"]) as client:
        curl = ""
        for name in names:
            console.rule(f"[bold]{name}", align="left")
            try:
                curl = Route(client, studio, name, account["token"], console).walk()
            except (Failed, ApiError) as reason:
                console.print(f"[bold red]✗[/] {reason}", markup=True)
                good = False
    console.rule()
    console.print(f"Studio     {studio.url}")
    console.print(f"Sign in    {account['link']}  (works once, as {account['email']})", soft_wrap=True)
    if curl:
        console.print("Ask the model:")
        console.print(curl, soft_wrap=True, markup=False)
    return good


def _account(studio: Studio) -> Json:
    done = subprocess.run(
        [sys.executable, "-m", "infra.demo.account"], env=studio.environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise Failed("The demo's account could not be made: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


class Route:
    """One demo, phase by phase."""

    def __init__(self, client: Client, studio: Studio, name: str, token: str, console: Console):
        self.client, self.studio, self.name, self.token, self.console = client, studio, name, token, console

    def walk(self) -> str:
        """Every phase; returns the curl line that asks the endpoint. Raises Failed or ApiError."""
        began = time.monotonic()
        demo = self._data()
        finished = self._run(demo["run"])
        self._evaluation(finished)
        version = self._version(finished)
        endpoint = self._endpoint(finished)
        curl = self._predict(endpoint, version, demo["dataset"])
        self.console.print(f"[dim]{self.name}: {time.monotonic() - began:.1f} s[/]")
        return curl

    @contextmanager
    def _phase(self, title: str) -> Iterator[Callable[[float, str], None]]:
        """A bar while the phase lasts, then one line with what came of it."""
        columns = (TextColumn("  {task.description:<16}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
        said = ""
        began = time.monotonic()
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            bar: TaskID = progress.add_task(title, total=1.0, note="")

            def update(fraction: float, note: str) -> None:
                nonlocal said
                said = note
                progress.update(bar, completed=fraction, note=note)

            yield update
        self.console.print(f"[green]✓[/] {title:<16} {said} [dim]{time.monotonic() - began:.1f} s[/]")

    def _data(self) -> Json:
        with self._phase("Data set") as update:
            demo = self.client.start_demo(self.name)
            while demo["status"] in ("queued", "running"):
                update(demo["progress"], demo["message"])
                time.sleep(0.15)
                demo = self.client.get_demo(demo["id"])
            if demo["status"] != "succeeded":
                raise Failed(demo["message"])
            dataset = self.client.get_dataset(demo["dataset"])
            update(1, f"{dataset['name']}: {dataset['item_count']:,} items, version {dataset['latest_version']}")
        return demo

    def _run(self, run: str) -> Json:
        with self._phase("Pipeline run") as update:

            def follow(state: Json) -> None:
                now = [f"{s['name'] or s['title']} {s['message']}".strip() for s in state["step_runs"] if s["status"] == "running"]
                update(state["progress"], ", ".join(now)[:70])

            finished = self.client.wait_for_run(run, progress=follow)
            cached = sum(s["skip_reason"] == "cached" for s in finished["step_runs"])
            again = f", {cached} reused" if cached else ""
            update(1, f"#{finished['number']} {finished['status']}, {finished['steps_total']} steps{again}")
        if finished["status"] != "succeeded":
            reasons = [f"{s['name'] or s['step']}: {s['error']['message']}" for s in finished["step_runs"] if s["error"]]
            raise Failed(f"Run #{finished['number']} {finished['status']}. " + " ".join(reasons))
        return finished

    def _evaluation(self, finished: Json) -> None:
        expected = DEMOS[self.name]
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
        for heading in ("Evaluation", "Metric", "Value", "95 % interval"):
            table.add_column(heading, justify="left" if heading in ("Evaluation", "Metric") else "right")
        best: float | None = None
        for step in finished["step_runs"]:
            for output in step["outputs"]:
                if output["artifact"]["kind"] != "Metrics" or not step["component"].startswith("evaluate"):
                    continue
                values: Json = self._json(output["artifact"]["id"]).get("values", {})
                for place, (metric, entry) in enumerate(sorted(values.items(), key=lambda pair: rank(pair[0]))):
                    value = entry["value"] if isinstance(entry, dict) else entry
                    if not isinstance(value, int | float):
                        continue
                    if metric == expected.metric and (best is None or (value < best if expected.at_most else value > best)):
                        best = value
                    if place >= SHOWN:
                        continue
                    low, high = (entry.get("low"), entry.get("high")) if isinstance(entry, dict) else (None, None)
                    interval = f"{low:.4g} – {high:.4g}" if isinstance(low, int | float) and isinstance(high, int | float) else ""
                    table.add_row(step["name"] or step["title"], metric, f"{value:.4g}", interval)
        self.console.print(table)
        if best is None:
            raise Failed(f"No evaluation gave {expected.metric}.")
        if not expected.holds(best):
            raise Failed(f"{expected.metric} is {best:.4f}; {expected} was expected.")
        self.console.print(f"[green]✓[/] {'Evaluation':<16} {expected.metric} {best:.4f} ({expected} expected)")

    def _version(self, finished: Json) -> Json:
        made = self._output(finished, "ModelVersion")
        found = next((v for v in self.client.list_model_versions(made["model"]) if v["number"] == made["version"]), None)
        if found is None:
            raise Failed(f"Version {made['version']} of {made['model']} is not in the registry.")
        parity = found["parity"].get("largest_difference")
        checked = f", ONNX answers within {parity:.1e} of the original" if isinstance(parity, int | float) else ""
        self.console.print(f"[green]✓[/] {'Model version':<16} {made['model']}@{made['version']}{checked}")
        return found

    def _endpoint(self, finished: Json) -> Json:
        made = self._output(finished, "Endpoint")
        with self._phase("Deployment") as update:
            until = time.monotonic() + 10
            endpoint = self.client.get_endpoint(made["endpoint"])
            while endpoint["status"] == "starting" and time.monotonic() < until:
                time.sleep(0.1)
                endpoint = self.client.get_endpoint(made["endpoint"])
            if endpoint["status"] != "live":
                raise Failed(f"The endpoint {made['endpoint']} is {endpoint['status']}.")
            update(1, f"{endpoint['url']} answers")
        return endpoint

    def _predict(self, endpoint: Json, version: Json, dataset: str) -> str:
        image = endpoint["manifest"]["input"]["kind"] == "image"
        with self._phase("Prediction") as update:
            truth = ""
            headers = {"Authorization": f"Bearer {self.token}"}
            if image:
                content, truth, kind = self._picture(dataset)
                # Kept, so that the curl line can be tried as it is printed.
                file = self.studio.layout.data / "samples" / f"{self.name}-example.png"
                file.write_bytes(content)
                curl = f"curl {endpoint['url']} -H 'Authorization: Bearer {self.token}' -H 'Content-Type: {kind}' --data-binary '@{file}'"
                answer = httpx.post(
                    endpoint["url"], content=content, headers={**headers, "Content-Type": kind}, timeout=30, trust_env=False
                )
            else:
                columns = endpoint["manifest"]["input"]["columns"]
                row = {c["name"]: c["example"] for c in columns if c.get("example") is not None}
                body = json.dumps({"instances": [row]})
                data = body.replace("'", "'\\''")
                curl = f"curl {endpoint['url']} -H 'Authorization: Bearer {self.token}' -H 'Content-Type: application/json' -d '{data}'"
                answer = httpx.post(endpoint["url"], content=body, headers=headers, timeout=30, trust_env=False)
            if answer.status_code != 200:
                raise Failed(f"The endpoint answered {answer.status_code}: {answer.text[:300]}")
            first = answer.json()["predictions"][0]
            told = _told(first)
            update(1, f"{told}{f', the label says “{truth}”' if truth else ''} (by {answer.headers['x-model-version']})")
        if answer.headers["x-model-version"] != f"{version['model']}@{version['number']}":
            raise Failed(f"{answer.headers['x-model-version']} answered, not the version just deployed.")
        return curl

    def _picture(self, slug: str) -> tuple[bytes, str, str]:
        """One image of the data set, its label and media type."""
        dataset = self.client.get_dataset(slug)
        base = f"/projects/{self.client.project}/datasets/{slug}/versions/{dataset['latest_version']}/items"
        item = self.client.request("GET", base, params={"limit": 1, "offset": dataset["item_count"] // 2})["items"][0]
        picture = self.client.download(f"{base}/{item['index']}/file")
        return picture, item["label"] or "", "image/png"

    def _output(self, finished: Json, kind: str) -> Json:
        for step in finished["step_runs"]:
            for output in step["outputs"]:
                if output["artifact"]["kind"] == kind:
                    return self._json(output["artifact"]["id"])
        raise Failed(f"The run made no {kind}.")

    def _json(self, artifact: str) -> Json:
        preview = self.client.request("GET", f"/projects/{self.client.project}/artifacts/{artifact}/preview")
        return dict(preview["value"])
