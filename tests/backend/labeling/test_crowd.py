"""Many people at one queue: whatever they do at once, no place is given twice and none is lost."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.core.models import Project, User
from backend.datasets.models import Dataset
from backend.labeling.actions.queue import leave, next_item
from backend.labeling.models import Annotation, Honeypot, LabelSchema, LabelSchemaVersion, Lease, QueueItem, Skip

CONFIG: dict[str, Any] = {"objects": [], "controls": [], "layout": []}
WRONG = """
SELECT q.id, q.wanted, q.free, q.done, a.n, l.n FROM labeling_queueitem q
 CROSS JOIN LATERAL (SELECT count(*) AS n, count(DISTINCT author_id) AS people FROM labeling_annotation
  WHERE item_id = q.id AND NOT honeypot) a
 CROSS JOIN LATERAL (SELECT count(*) AS n FROM labeling_lease WHERE item_id = q.id AND NOT honeypot) l
 WHERE q.done <> a.n OR a.people <> a.n OR q.free <> q.wanted - q.done - l.n OR q.done > q.wanted OR q.free < 0
"""


def queue(items: int, overlap: int, people: int, honeypots: float = 0) -> tuple[LabelSchema, list[User]]:
    project = Project.objects.create(slug=f"p-{uuid.uuid4().hex[:8]}", name="P")
    dataset = Dataset.objects.create(project=project, slug="d", name="D", modality="images")
    schema = LabelSchema.objects.create(project=project, dataset=dataset, slug="s", name="S", overlap=overlap, honeypot_share=honeypots)
    LabelSchemaVersion.objects.create(schema=schema, number=1, xml="", config=CONFIG)
    QueueItem.objects.bulk_create(
        QueueItem(schema=schema, key=str(n), digest="0", media_type="image/png", position=n, rank=n, wanted=overlap, free=overlap)
        for n in range(items)
    )
    if honeypots:
        known = QueueItem.objects.filter(schema=schema, position__gte=items // 2)
        Honeypot.objects.bulk_create(Honeypot(item=item, schema=schema, answer=[], source="given") for item in known)
    return schema, [User.objects.create_user(f"{uuid.uuid4().hex}@x.example") for _ in range(people)]


def submitted(schema: LabelSchema, user: User, item: int) -> str:
    version = schema.versions.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT labeling_submit(%s, %s, %s, %s, '[]', 1, NULL, false) ->> 'outcome'", [item, user.pk, uuid.uuid4(), version.pk]
        )
        found: str = cursor.fetchone()[0]
    return found


def wrong() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(WRONG)
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_one_person_who_asks_from_two_tabs_at_once_holds_one_place() -> None:
    schema, (user,) = queue(items=1, overlap=2, people=1)

    def other_tab() -> int | None:
        try:
            return next_item(schema, user, [])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = next_item(schema, user, [])
            second = pool.submit(other_tab)
            assert not wait([second], timeout=0.5).done, "it waits for what the first tab is given"
        assert second.result(timeout=20) == first
    assert wrong() == [] and Lease.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_crowd_labels_everything_once_and_nothing_twice() -> None:
    schema, people = queue(items=60, overlap=2, people=8, honeypots=0.2)
    doubled: list[str] = []

    def work(user: User) -> int:
        chance, done = random.Random(str(user.email)), 0
        try:
            while (item := next_item(schema, user, [])) is not None:
                act = chance.random()
                if act < 0.15:
                    leave(None, QueueItem.objects.select_related("schema__project").get(pk=item), user, skip=chance.random() < 0.1)
                elif act < 0.3:  # their lease runs out while they are still at it
                    Lease.objects.filter(item=item, user=user, honeypot=False).update(until="2020-01-01T00:00:00Z")
                    next_item(schema, people[0], [])
                    done += submitted(schema, user, item) == "submitted"
                else:
                    outcome = submitted(schema, user, item)
                    done += outcome == "submitted"
                    doubled.extend([outcome] if outcome not in ("submitted", "full") else [])
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        done = sum(pool.map(work, people))
    assert wrong() == [] and doubled == []
    assert Annotation.objects.count() == done
    for user in people:  # whoever came last may have let go of what the others could not have then
        while (item := next_item(schema, user, [])) is not None:
            assert submitted(schema, user, item) == "submitted"
    assert wrong() == [] and not Lease.objects.exists()
    for left in QueueItem.objects.filter(free__gt=0):
        barred = Annotation.objects.filter(item=left).count() + Skip.objects.filter(item=left).count()
        assert barred == len(people), f"{left.key} has a free place, and {len(people) - barred} people could have taken it"


class Places(RuleBasedStateMachine):
    """Two items of two places, one of them perhaps a honeypot too, and three people who come, submit, skip, let go, lose their lease, and
    send things twice, in any order."""

    @initialize(overlap=st.integers(1, 2), honeypots=st.sampled_from([0, 0.5, 1]))
    def begin(self, overlap: int, honeypots: float) -> None:
        self.schema, self.people = queue(items=2, overlap=overlap, people=3, honeypots=honeypots)
        self.items = list(QueueItem.objects.filter(schema=self.schema).order_by("position"))

    @rule(who=st.integers(0, 2), holding=st.lists(st.integers(0, 1), max_size=2))
    def next(self, who: int, holding: list[int]) -> None:
        user, held = self.people[who], [self.items[n].pk for n in holding]
        before = set(Annotation.objects.filter(author=user).values_list("item", flat=True))
        item = next_item(self.schema, user, held)
        assert item is None or (item not in held and item not in before)
        if item is None:
            taken = before | set(Skip.objects.filter(user=user).values_list("item", flat=True)) | set(held)
            taken |= set(Lease.objects.filter(user=user).values_list("item", flat=True))
            free = QueueItem.objects.filter(schema=self.schema, free__gt=0).exclude(pk__in=taken)
            assert not free.exists(), "there was a free place that this person could have had"
        else:
            assert Lease.objects.filter(item=item, user=user).exists()

    @rule(who=st.integers(0, 2), which=st.integers(0, 1))
    def submit(self, who: int, which: int) -> None:
        item, user = self.items[which], self.people[who]
        had = Annotation.objects.filter(item=item, author=user).exists()
        leased = Lease.objects.filter(item=item, user=user).exists()
        outcome = submitted(self.schema, user, item.pk)
        assert outcome in (("stale",) if had else ("submitted",) if leased else ("submitted", "full"))

    @rule(who=st.integers(0, 2), which=st.integers(0, 1), skip=st.booleans())
    def go(self, who: int, which: int, skip: bool) -> None:
        leave(None, QueueItem.objects.select_related("schema__project").get(pk=self.items[which].pk), self.people[who], skip=skip)

    @rule(who=st.integers(0, 2))
    def lapse(self, who: int) -> None:
        Lease.objects.filter(user=self.people[who]).update(until="2020-01-01T00:00:00Z")

    @invariant()
    def places_add_up(self) -> None:
        assert wrong() == []


@pytest.mark.django_db
def test_places_add_up_whatever_the_order() -> None:
    run_state_machine_as_test(
        Places,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
        ),
    )
