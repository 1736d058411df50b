"""Labelling over HTTP: the next item and a submission by one person, by a crowd, and from a queue of a million; and two people at one item.

The floor is a signed-in request of the same studio that reads a row or two (`GET /me`), by the same client over kept connections.
"""

from __future__ import annotations

import json
import os
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.bench.main import Row
from tests.bench.setup import URL, account
from tests.bench.together import measure

CROWD = 8
EACH = 150
SMALL, LARGE = 5_000, 1_000_000
EXPORTED = 100_000
XML = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def queue(name: str, items: int) -> str:
    """A label schema with a queue of short texts, filled in the database; returns its slug."""
    from django.db import connection

    from backend.datasets.models import Dataset
    from backend.labeling.models import LabelSchema, LabelSchemaVersion
    from backend.labeling.schema_xml import read

    project, user, _ = account()
    dataset, _ = Dataset.objects.get_or_create(project=project, slug="texts", defaults={"name": "Texts", "modality": "table"})
    schema = LabelSchema.objects.create(
        project=project, dataset=dataset, slug=f"{name}-{uuid.uuid4().hex[:6]}", name=name, fill_status="ready", filled=1, review_share=0
    )
    LabelSchemaVersion.objects.create(schema=schema, number=1, xml=XML, config=read(XML, last_word=False)["config"], created_by=user)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_queueitem (schema_id, key, digest, media_type, data, position, rank, wanted, free, done, removed)"
            " SELECT %s, n::text, md5(n::text), 'application/json', jsonb_build_object('text', 'Text number ' || n), n, n, 1, 1, 0, false"
            " FROM generate_series(1, %s) n",
            [schema.pk, items],
        )
        cursor.execute("ANALYZE labeling_queueitem")
    return schema.slug


def people(count: int) -> list[str]:
    """Tokens of annotators of the benchmark's project."""
    from backend.core.actions import tokens
    from backend.core.models import Membership, User

    project, _, _ = account()
    found = []
    for n in range(count):
        user = User.objects.filter(email=f"annotator{n}@example.org").first() or User.objects.create_user(f"annotator{n}@example.org")
        Membership.objects.get_or_create(project=project, user=user, defaults={"role": "annotator"})
        found.append(tokens.create(user, "bench", expires_in_days=1)[1])
    return found


def work(slug: str, secret: str, count: int) -> tuple[list[float], list[float], list[int]]:
    """(Seconds of each next, of each submission, the items) of one person who labels `count` items over one kept connection."""
    nexts, submits, items = [], [], []
    said = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
    with httpx.Client(
        base_url=f"{URL}/api/v1/projects/bench/label-schemas/{slug}", headers={"Authorization": f"Bearer {secret}"}
    ) as client:
        for _ in range(count):
            begun = time.perf_counter()
            item = client.post("/next", json={"holding": []}).raise_for_status().json()["item"]
            between = time.perf_counter()
            body: dict[str, Any] = {
                "id": str(uuid.uuid4()),
                "schema_version": 1,
                "result": [{**said, "id": uuid.uuid4().hex}],
                "seconds": 1.0,
            }
            client.post(f"/items/{item['id']}/submit", json=body).raise_for_status()
            nexts.append(between - begun)
            submits.append(time.perf_counter() - between)
            items.append(item["id"])
    return nexts, submits, items


def bare(secret: str, count: int = 200) -> list[float]:
    found = []
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {secret}"}) as client:
        for _ in range(count):
            begun = time.perf_counter()
            client.get("/api/v1/me").raise_for_status()
            found.append(time.perf_counter() - begun)
    return found


def said(slug: str) -> None:
    """A box on each item of a queue, by nobody, in one statement."""
    from django.db import connection

    from backend.labeling.models import LabelSchema, LabelSchemaVersion

    schema = LabelSchema.objects.get(slug=slug)
    result = [{"id": "c", "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_queueitem SET done = 1, free = 0 WHERE schema_id = %s", [schema.pk])
        cursor.execute(
            "INSERT INTO labeling_annotation (id, item_id, schema_id, schema_version_id, result, seconds, status, to_review, version,"
            " created_at, updated_at) SELECT gen_random_uuid(), q.id, q.schema_id, %s, %s, 1, 'submitted', false, 1, now(), now()"
            " FROM labeling_queueitem q WHERE q.schema_id = %s",
            [LabelSchemaVersion.objects.get(schema=schema).pk, json.dumps(result), schema.pk],
        )
        cursor.execute("ANALYZE labeling_annotation")
    LabelSchema.objects.filter(pk=schema.pk).update(together="apart")


def copied(slug: str) -> float:
    """Seconds of a bare COPY of the same rows and their JSON, written to nowhere."""
    from django.db import connection

    begun = time.perf_counter()
    with connection.cursor() as cursor:
        query = (
            "COPY (SELECT json_build_object('item', q.key, 'digest', q.digest, 'data', q.data, 'result', a.result, 'at', a.created_at)"
            " FROM labeling_annotation a JOIN labeling_queueitem q ON q.id = a.item_id JOIN labeling_labelschema s ON s.id = a.schema_id"
            f" WHERE s.slug = '{slug}' ORDER BY q.position) TO STDOUT"
        )
        with cursor.copy(query) as copy:
            for piece in copy:
                json.loads(bytes(piece).replace(b"\\\\", b"\\"))
    return time.perf_counter() - begun


def resident() -> int:
    """Bytes of this studio's web process."""
    import psutil

    ours = os.environ["DATABASE_URL"]
    found = [p for p in psutil.process_iter(["cmdline"]) if "infra.supervisor.web" in (p.info["cmdline"] or ())]
    return max(int(p.memory_info().rss) for p in found if p.environ().get("DATABASE_URL") == ours)


def exports() -> None:
    """100,000 annotations as a file, against a bare COPY; and what the web process takes for it."""
    slug = queue("out", EXPORTED)
    said(slug)
    _, _, secret = account()
    floor = EXPORTED / copied(slug)
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {secret}"}, timeout=600) as client:
        for name in ("jsonl", "labelstudio", "csv"):
            before, peak, lines, begun = resident(), 0, 0, time.perf_counter()
            with client.stream("GET", f"/api/v1/projects/bench/label-schemas/{slug}/export", params={"format": name}) as answer:
                for n, piece in enumerate(answer.raise_for_status().iter_bytes()):
                    lines += piece.count(b"\n")
                    if n % 20 == 0:
                        peak = max(peak, resident())
            took = time.perf_counter() - begun
            if lines < EXPORTED:
                raise SystemExit(f"{lines:,} of {EXPORTED:,} annotations came as {name}")
            row(f"export of {EXPORTED:,} as {name}", EXPORTED / took, floor, "annotations/s", "COPY and json.loads of the same rows")
            row(f"web process during it, {name}", peak / 1e6, before / 1e6, "MB", "the web process before it")


def strokes() -> None:
    """From one page to the other, in a draft that two people share."""
    from backend.labeling.models import QueueItem

    slug = queue("shared", 10)
    found, floor = measure(slug, QueueItem.objects.filter(schema__slug=slug).values_list("pk", flat=True)[0], people(2))
    told = "the bare socket's round trip"
    row("stroke to the other page, p50", statistics.median(found) * 1000, statistics.median(floor) * 1000, floor_is=told)
    row("stroke to the other page, p95", p95(found) * 1000, p95(floor) * 1000, floor_is=told)


def row(name: str, ours: float, floor: float, unit: str = "ms", floor_is: str = "GET /me") -> None:
    print(Row(part="labelling", name=name, ours=round(ours, 3), floor=round(floor, 3), unit=unit, floor_is=floor_is).line(), flush=True)


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def main() -> None:
    secrets = people(CROWD)
    small = queue("small", SMALL)
    work(small, secrets[0], 20)  # everything is loaded
    floor = bare(secrets[0])
    nexts, submits, _ = work(small, secrets[0], 200)
    for name, values in (("next item", nexts), ("submit", submits)):
        row(f"{name}, alone, p50", statistics.median(values) * 1000, statistics.median(floor) * 1000)
        row(f"{name}, alone, p95", p95(values) * 1000, p95(floor) * 1000)
    begun = time.perf_counter()
    with ThreadPoolExecutor(CROWD) as pool:
        done = list(pool.map(lambda secret: work(small, secret, EACH), secrets))
    took = time.perf_counter() - begun
    items = [item for _, _, some in done for item in some]
    if len(set(items)) != len(items):
        raise SystemExit(f"{len(items) - len(set(items))} items were given twice")
    with ThreadPoolExecutor(CROWD) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda secret: bare(secret, 2 * EACH), secrets))
    both = CROWD * EACH / (time.perf_counter() - begun)
    row(f"{CROWD} people at once, none doubled", len(items) / took, both, "items/s", "two GET /me for each item")
    row(f"{CROWD} people at once, next p95", p95([n for some, _, _ in done for n in some]) * 1000, p95(floor) * 1000)
    strokes()
    exports()
    large = queue("large", LARGE)
    work(large, secrets[0], 20)
    nexts, submits, _ = work(large, secrets[0], 200)
    row("next item of a million, p50", statistics.median(nexts) * 1000, statistics.median(floor) * 1000)
    row("submit, of a million, p50", statistics.median(submits) * 1000, statistics.median(floor) * 1000)


if __name__ == "__main__":
    main()
