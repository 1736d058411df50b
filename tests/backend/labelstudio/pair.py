"""A label schema of the project “lab”, and its twin in a project of somebody else, on the same server."""

from __future__ import annotations

import io
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
from label_studio_sdk.client import LabelStudio
from PIL import Image

from tests.backend.labelstudio.conftest import CHOICES, Running
from workers.sdk.client import Client


class Pair:
    def __init__(self, running: Running, *, config: str = CHOICES, overlap: int = 1, url: str = "", linked: bool = True) -> None:
        self.running, self.url = running, url or running.url
        self.here, self.there = running.client("olga"), running.client("sam")
        name = f"Both {uuid.uuid4().hex[:8]}"
        self.ours = self.here.projects.create(title=name, label_config=config, maximum_annotations=overlap).id
        self.theirs = self.there.projects.create(title=f"Their {name}", label_config=config, maximum_annotations=overlap).id
        self.http = httpx.Client(
            base_url=f"{running.url}/api/v1/projects/lab/label-schemas/{name.lower().replace(' ', '-')}",
            headers={"Authorization": f"Bearer {running.tokens['olga']}"},
        )
        if linked:
            self.link()

    def link(self, **other: Any) -> None:
        body = {"url": self.url, "token": self.running.tokens["sam"], "remote": self.theirs, **other}
        answer = self.http.put("/link", json=body)
        assert answer.status_code == 202, answer.text

    def get(self) -> Any:
        return self.http.get("/link").json()["link"]

    def settled(self, status: str = "ready") -> Any:
        until = time.monotonic() + 90
        while (link := self.get())["status"] in ("queued", "running") and time.monotonic() < until:
            time.sleep(0.1)
        assert link["status"] == status, link
        return link

    def sync(self, status: str = "ready") -> Any:
        self.settled_somehow()
        assert self.http.post("/link/sync").status_code == 202
        return self.settled(status)

    def settled_somehow(self) -> None:
        while self.get()["status"] in ("queued", "running"):
            time.sleep(0.1)

    def choose(self, conflict: int | None, side: str) -> Any:
        path = "/link/conflicts" if conflict is None else f"/link/conflicts/{conflict}"
        assert self.http.post(path, json={"side": side}).status_code == 202
        return self.settled()


class UploadedPair(Pair):
    """The label schema is one of a table that was uploaded (`csv`); the project there is empty at first."""

    def __init__(self, running: Running, folder: Path, csv: str, *, url: str = "", config: str = CHOICES) -> None:
        self.running, self.url = running, url or running.url
        self.here, self.there = running.client("olga"), running.client("sam")
        self.dataset = f"table-{uuid.uuid4().hex[:8]}"
        self.client = Client(running.url, running.tokens["olga"], "lab")
        (folder / "rows.csv").write_text(csv, encoding="utf-8")
        self.client.upload(folder / "rows.csv", name=self.dataset, options={"freeze": True})
        self.client.wait_for_version(self.dataset, 1)
        schema = {"name": self.dataset, "dataset": self.dataset, "xml": config, "review_share": 0.0}
        self.client.request("POST", "/projects/lab/label-schemas", json=schema)
        base = f"/projects/lab/label-schemas/{self.dataset}"
        while self.client.request("GET", base)["fill_status"] != "ready":
            time.sleep(0.1)
        self.ours = next(p.id for p in self.here.projects.list(title=self.dataset))
        self.theirs = self.there.projects.create(title=self.dataset, label_config=config).id
        self.http = httpx.Client(
            base_url=f"{running.url}/api/v1{base}", headers={"Authorization": f"Bearer {running.tokens['olga']}"}, timeout=30
        )

    def version(self) -> Any:
        return self.client.request("GET", f"/projects/lab/datasets/{self.dataset}/versions")[0]

    def rows(self, number: int) -> list[list[Any]]:
        found: list[list[Any]] = self.client.request("GET", f"/projects/lab/datasets/{self.dataset}/versions/{number}/rows?limit=100")[
            "rows"
        ]
        return found


def moods(ls: LabelStudio, project: int) -> dict[str, list[str]]:
    """{text: answers, in order}"""
    return {
        t.data["text"]: sorted(a["result"][0]["value"]["choices"][0] for a in t.annotations or [] if not a["was_cancelled"])
        for t in ls.tasks.list(project=project)
    }


def task(ls: LabelStudio, project: int, text: str) -> Any:
    return next(t for t in ls.tasks.list(project=project) if t.data["text"] == text)


def png(color: str, size: tuple[int, int] = (20, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()
