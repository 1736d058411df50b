"""The studio and Label Studio itself, one after the other in the same run: an import, the next item, an annotation, eight people at once.

The floor is Label Studio 1.23 on the same PostgreSQL behind gunicorn with two processes, by the same clients over kept connections. It is
installed into an environment of its own the first time (minutes); where it cannot be, this part says so and measures nothing.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from label_studio_sdk.client import LabelStudio
from psycopg import sql

from tests import label_studio
from tests.bench import labelling, sdk
from tests.bench.main import Row
from tests.bench.setup import URL, account

FLOOR = "Label Studio on PostgreSQL behind gunicorn"
ALONE, CROWD, EACH = 200, 8, 40
Work = Callable[[str, int], tuple[list[float], list[float], list[int]]]
"""(A token, how many items) → seconds of each next, of each submission, the items."""


def theirs(url: str, project: int) -> Work:
    def work(secret: str, count: int) -> tuple[list[float], list[float], list[int]]:
        nexts, submits, items = [], [], []
        with httpx.Client(base_url=url, headers={"Authorization": f"Token {secret}"}, timeout=60) as client:
            for _ in range(count):
                begun = time.perf_counter()
                task = client.get(f"/api/projects/{project}/next").raise_for_status().json()["id"]
                between = time.perf_counter()
                said = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}, "id": uuid.uuid4().hex}
                client.post(f"/api/tasks/{task}/annotations/", json={"result": [said], "lead_time": 1.0}).raise_for_status()
                nexts.append(between - begun)
                submits.append(time.perf_counter() - between)
                items.append(task)
        return nexts, submits, items

    return work


def crowd(work: Work, secrets: list[str]) -> tuple[float, float, int]:
    """(Items a second, p95 of next in seconds, items that were given twice.)"""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(secrets)) as pool:
        done = list(pool.map(lambda secret: work(secret, EACH), secrets))
    took = time.perf_counter() - begun
    items = [item for _, _, some in done for item in some]
    return len(items) / took, labelling.p95([n for some, _, _ in done for n in some]), len(items) - len(set(items))


def row(name: str, ours: float, floor: float, unit: str = "ms") -> None:
    print(Row(part="beside", name=name, ours=round(ours, 3), floor=round(floor, 3), unit=unit, floor_is=FLOOR).line(), flush=True)


def tokens_of(url: str, count: int) -> list[str]:
    """Tokens of `count` people of Label Studio: its account invites the others."""
    found = [label_studio.TOKEN]
    with httpx.Client(base_url=url, headers={"Authorization": f"Token {label_studio.TOKEN}"}, timeout=60) as owner:
        invited = owner.get("/api/invite").raise_for_status().json()["invite_url"]
    for n in range(count - 1):
        with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as person:
            person.get(invited).raise_for_status()
            form = {
                "email": f"annotator{n}@other.example",
                "password": "the mill turns by night",
                "csrfmiddlewaretoken": person.cookies["csrftoken"],
            }
            person.post(invited, data=form, headers={"Referer": url}).raise_for_status()
            found.append(person.get("/api/current-user/token").raise_for_status().json()["token"])
    return found


def main() -> None:
    try:
        label_studio.installed()
    except label_studio.CannotInstall as exc:
        raise SystemExit(f"Label Studio cannot be installed here: {exc}") from exc
    project, user, _ = account()
    from backend.core.actions import tokens

    _, secret = tokens.create(user, "bench", project=project.slug, expires_in_days=1)
    imported = sdk.imports(URL, secret)
    secrets = labelling.people(CROWD)
    slug = labelling.queue("beside", 5_000)

    def work(secret: str, count: int) -> tuple[list[float], list[float], list[int]]:
        return labelling.work(slug, secret, count)

    here = os.environ["DATABASE_URL"]
    name = f"label_studio_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(here, autocommit=True) as services, tempfile.TemporaryDirectory(prefix="hr-beside-") as folder:
        services.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            with label_studio.running(Path(folder), urlunsplit(urlsplit(here)._replace(path=f"/{name}"))) as url:
                floor = sdk.imports(url, label_studio.TOKEN)
                row("import 10,000 text tasks by the SDK", statistics.median(imported), statistics.median(floor), "s")
                client = LabelStudio(base_url=url, api_key=label_studio.TOKEN, timeout=300)
                other = client.projects.create(title="Beside", label_config=sdk.CONFIG).id
                client.projects.import_tasks(other, request=[{"data": {"text": f"Text number {n}"}} for n in range(5_000)])
                them = theirs(url, other)
                work(secrets[0], 20)
                them(label_studio.TOKEN, 20)
                measured = [some(who, ALONE) for some, who in ((work, secrets[0]), (them, label_studio.TOKEN))]
                for n, what in enumerate(("next item", "submit")):
                    ours, floors = measured[0][n], measured[1][n]
                    row(f"{what}, alone, p50", statistics.median(ours) * 1000, statistics.median(floors) * 1000)
                    row(f"{what}, alone, p95", labelling.p95(ours) * 1000, labelling.p95(floors) * 1000)
                at_once, next_p95, doubled = crowd(work, secrets)
                if doubled:
                    raise SystemExit(f"{doubled} items were given twice")
                their_rate, their_p95, their_doubled = crowd(them, tokens_of(url, CROWD))
                row(f"{CROWD} people at once (there {their_doubled} of {CROWD * EACH} items given twice)", at_once, their_rate, "items/s")
                row(f"{CROWD} people at once, next p95", next_p95 * 1000, their_p95 * 1000)
        finally:
            services.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


if __name__ == "__main__":
    main()
