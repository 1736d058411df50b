"""A hundred annotators at one queue for minutes; afterwards the database says whether anything was lost or doubled.

Each accepted submission is there once with its newest content, each is in the audit log once, no item has more annotations than it wants,
and nobody was given a place that others had. Anything else ends this with its sentences. What is counted is told either way.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from tests.bench.annotator import Annotator, Told
from tests.bench.labelling import bare, p95, queue, resident
from tests.bench.main import Row
from tests.bench.setup import URL, account

PEOPLE = int(os.environ.get("HEADRACE_BENCH_PEOPLE", "100"))
MINUTES = float(os.environ.get("HEADRACE_BENCH_MINUTES", "10"))
PAUSE_S = float(os.environ.get("HEADRACE_BENCH_PAUSE", "0.5"))
"""How long somebody looks at an item each time, on average: ten times as quick as the quickest of real people."""
ITEMS = int(os.environ.get("HEADRACE_BENCH_ITEMS", "50000"))
PLACES = 2
MOST_TOLD = 20
WRONG = """
SELECT q.id, q.wanted, q.free, q.done, a.n, l.n FROM labeling_queueitem q
 CROSS JOIN LATERAL (SELECT count(*) AS n, count(DISTINCT author_id) AS people FROM labeling_annotation
  WHERE item_id = q.id AND how = '') a
 CROSS JOIN LATERAL (SELECT count(*) AS n FROM labeling_lease WHERE item_id = q.id) l
 WHERE q.schema_id = %s AND (q.done <> a.n OR a.people <> a.n OR q.free <> q.wanted - q.done - l.n OR q.done > q.wanted OR q.free < 0)
"""


def crowd(count: int) -> tuple[list[UUID], list[str]]:
    """(Ids, tokens) of annotators of the benchmark's project."""
    from backend.core.actions import tokens
    from backend.core.models import Membership, User

    project, _, _ = account()
    users, secrets = [], []
    for n in range(count):
        email = f"bench-crowd-{n}@example.org"
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        Membership.objects.get_or_create(project=project, user=user, defaults={"role": "annotator"})
        users.append(user.pk)
        secrets.append(tokens.create(user, "bench", expires_in_days=1)[1])
    return users, secrets


async def labelled(slug: str, users: list[UUID], secrets: list[str]) -> tuple[Told, list[int], list[str], float]:
    """(What the crowd was told, memory of the web process now and then, sentences about places that did not add up, seconds)."""
    from backend.labeling.models import Lease

    told, until = Told(PLACES), time.monotonic() + MINUTES * 60
    pool = ThreadPoolExecutor(2)
    memory: list[int] = []
    places: list[str] = []

    async def aside(work: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *args)

    def over(person: int, item: int) -> None:
        Lease.objects.filter(item=item, user=users[person]).update(until="2020-01-01T00:00:00Z")

    async def watch() -> None:
        while True:
            memory.append(await aside(resident))
            places.extend(await aside(askew, slug))
            await asyncio.sleep(5)

    base = f"{URL}/api/v1/projects/bench/label-schemas/{slug}"
    begun = time.monotonic()
    watching = asyncio.create_task(watch())
    people = [
        Annotator(n, base, secret, told, pause=PAUSE_S, lapse=lambda person, item: aside(over, person, item), until=until)
        for n, secret in enumerate(secrets)
    ]
    await asyncio.gather(*(person.work() for person in people))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    took = time.monotonic() - begun
    pool.shutdown()
    return told, memory, places, took


def askew(slug: str) -> list[str]:
    """Items whose places do not add up, in one look at the database."""
    from django.db import connection

    from backend.labeling.models import LabelSchema

    with connection.cursor() as cursor:
        cursor.execute(WRONG, [LabelSchema.objects.values_list("pk", flat=True).get(slug=slug)])
        names = ("item", "wanted", "free", "done", "annotations", "leases")
        return [f"places do not add up: {dict(zip(names, row, strict=True))}" for row in cursor.fetchall()]


def differences(slug: str, told: Told, users: list[UUID]) -> tuple[list[str], list[str], list[str]]:
    """Sentences about what was (lost, doubled, else wrong), by the database."""
    from django.db.models import Count

    from backend.core.models import AuditEntry
    from backend.labeling.models import Annotation, Comment, Draft, LabelSchema, Skip

    schema = LabelSchema.objects.get(slug=slug)
    lost, doubled, wrong = [], [], [*told.crowded, *told.strange, *askew(slug)]
    rows = {str(a.pk): a for a in Annotation.objects.filter(schema=schema, how="").only("id", "author", "item", "version", "result")}
    for id_, said in told.said.items():
        kept = rows.get(id_)
        if kept is None:
            lost.append(f"annotation {id_} of item {said.item} was accepted and is not there")
        elif (kept.author_id, kept.item_id) != (users[said.person], said.item):
            wrong.append(f"annotation {id_} belongs to another person or item")
        elif (kept.version, kept.result[0]["id"], kept.result[0]["value"]["choices"]) != (said.version, said.region, [said.choice]):
            lost.append(f"annotation {id_} is at version {kept.version} with {kept.result}; {said} was accepted")
    wrong += [f"annotation {id_} is there and nobody was told so" for id_ in rows.keys() - told.said.keys()]
    twice = Annotation.objects.filter(schema=schema, how="").values("item", "author").annotate(n=Count("id")).filter(n__gt=1)
    doubled += [f"one person has {row['n']} annotations of item {row['item']}" for row in twice]
    many = Annotation.objects.filter(schema=schema, how="").values("item").annotate(n=Count("id")).filter(n__gt=PLACES)
    doubled += [f"item {row['item']} has {row['n']} annotations and wants {PLACES}" for row in many]
    logged = AuditEntry.objects.filter(project=schema.project, target_type="annotation")
    noted = Counter(logged.filter(action="annotation.submit").values_list("target_id", flat=True))
    changed = Counter(logged.filter(action="annotation.change").values_list("target_id", flat=True))
    for id_, kept in rows.items():
        if (noted[id_], changed[id_]) != (1, kept.version - 1):
            wrong.append(f"annotation {id_}, version {kept.version}: {noted[id_]} submissions, {changed[id_]} changes in the audit log")
    drafts = {(d.user_id, d.item_id): d for d in Draft.objects.filter(item__schema=schema)}
    for (person, item), (number, region) in told.drafts.items():
        draft = drafts.get((users[person], item))
        if draft is None or draft.number < number or (draft.number == number and region and draft.result[0]["id"] != region):
            lost.append(f"draft {number} of person {person} on item {item} was kept and is {draft and (draft.number, draft.result)}")
    skipped = set(Skip.objects.filter(item__schema=schema).values_list("user", "item"))
    lost += [
        f"person {person} skipped item {item}, and it is forgotten" for person, item in told.skipped if (users[person], item) not in skipped
    ]
    remarks = {str(c.pk): (c.author_id, c.item_id, c.text) for c in Comment.objects.filter(item__schema=schema)}
    for id_, (person, item, text) in told.comments.items():
        if remarks.get(id_) != (users[person], item, text):
            lost.append(f"remark {id_} on item {item} was accepted and is {remarks.get(id_)}")
    if len(remarks) > len(told.comments) + told.unanswered:
        doubled.append(f"{len(remarks)} remarks are there, {len(told.comments)} were accepted and {told.unanswered} not answered")
    return lost, doubled, wrong


def row(name: str, ours: float, floor: float, unit: str, floor_is: str) -> None:
    print(Row(part="crowd", name=name, ours=round(ours, 3), floor=round(floor, 3), unit=unit, floor_is=floor_is).line(), flush=True)


def main() -> None:
    from backend.labeling.models import LabelSchema, QueueItem

    users, secrets = crowd(PEOPLE)
    slug = queue("crowd", ITEMS)
    QueueItem.objects.filter(schema__slug=slug).update(wanted=PLACES, free=PLACES)
    LabelSchema.objects.filter(slug=slug).update(overlap=PLACES)
    with ThreadPoolExecutor(8) as pool:
        begun = time.perf_counter()
        floor = [one for some in pool.map(lambda secret: bare(secret, 20), secrets[:64]) for one in some]
        rate = len(floor) / (time.perf_counter() - begun)
    told, memory, places, took = asyncio.run(labelled(slug, users, secrets))
    lost, doubled, wrong = differences(slug, told, users)
    wrong += places
    asked = sum(len(some) for some in told.seconds.values())
    who = f"{len(secrets)} people, {took / 60:.1f} minutes"
    row(f"{who}: submissions", len(told.said) / took, rate / 2, "items/s", "two GET /me for each item, 8 at once")
    for kind in ("next", "draft", "submit"):
        if times := told.seconds[kind]:
            row(f"{kind}, p50", statistics.median(times) * 1000, statistics.median(floor) * 1000, "ms", "GET /me, 8 at once")
            row(f"{kind}, p95", p95(times) * 1000, p95(floor) * 1000, "ms", "GET /me, 8 at once")
    for kind, count in sorted(told.acts.items()):
        row(f"did: {kind}", count, asked, "times", "all requests")
    for kind, count in sorted(told.errors.items()):
        row(f"refused: {kind}", count, asked, "times", "all requests")
    quarter = max(1, len(memory) // 4)
    row(
        "web process, last quarter",
        statistics.median(memory[-quarter:]) / 1e6,
        statistics.median(memory[:quarter]) / 1e6,
        "MB",
        "its first quarter",
    )
    row("lost", len(lost), len(told.said), "annotations", "all accepted")
    row("doubled", len(doubled), len(told.said), "annotations", "all accepted")
    if sentences := [*lost, *doubled, *wrong]:
        more = f"\n… and {len(sentences) - MOST_TOLD} more" if len(sentences) > MOST_TOLD else ""
        raise SystemExit("\n".join(sentences[:MOST_TOLD]) + more)


if __name__ == "__main__":
    main()
