"""What every other part stands on: the audit log, events, pages, slugs."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backend.core import events
from backend.core.actions import audit, links
from backend.core.actions.tidy import tidy
from backend.core.errors import InvalidInput
from backend.core.models import ApiToken, AuditEntry, Event, Project, SignInLink, User
from backend.core.queries import paginate, unique_slug

pytestmark = pytest.mark.django_db


def project(slug: str = "wine") -> Project:
    return Project.objects.create(slug=slug, name=slug.title())


def test_audit_log_cannot_be_changed_by_anyone() -> None:
    entry = audit.record("test", "thing.make", ("thing", 1, "One"), after={"b": 1, "a": 2}, project=project())
    assert entry.after_digest == audit.digest({"a": 2, "b": 1}) and entry.actor_label == "test"
    for statement in ("UPDATE core_auditentry SET action = 'x'", "DELETE FROM core_auditentry"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEntry.objects.get().action == "thing.make"


def test_event_of_a_failed_write_never_existed_and_missed_ones_can_be_asked_for() -> None:
    wine = project()
    with pytest.raises(RuntimeError), transaction.atomic():
        events.publish(wine, "project", {"type": "dataset_changed", "dataset": "a"})
        raise RuntimeError
    first = events.publish(wine, "project", {"type": "dataset_changed", "dataset": "b"})
    events.publish(wine, "run:1", {"type": "x"})
    second = events.publish(wine, "project", {"type": "dataset_changed", "dataset": "c"})
    assert events.since(wine, "project", first) == [{"type": "dataset_changed", "dataset": "c", "seq": second}]
    assert Event.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_event_that_is_committed_late_is_not_missed_by_who_saw_a_higher_number() -> None:
    wine = project()
    written, seen = threading.Event(), threading.Event()
    late: list[int] = []

    def slowly() -> None:
        try:
            with transaction.atomic():
                late.append(events.publish(wine, "project", {"type": "dataset_changed", "dataset": "late"}))
                written.set()
                assert seen.wait(30)
        finally:
            connection.close()

    early = events.publish(wine, "project", {"type": "dataset_changed", "dataset": "early"})
    writer = threading.Thread(target=slowly)
    writer.start()
    try:
        assert written.wait(30)
        quick = events.publish(wine, "project", {"type": "dataset_changed", "dataset": "quick"})
        missed = events.missed(wine, "project", early)
        assert ([e["seq"] for e in missed["events"]], missed["last"]) == ([quick], quick) and late[0] < quick
    finally:
        seen.set()
        writer.join()
    assert [e["dataset"] for e in events.missed(wine, "project", quick)["events"]] == ["late"]
    after = events.publish(wine, "project", {"type": "dataset_changed", "dataset": "after"})
    assert events.missed(wine, "project", after)["events"] == [], "what was settled long before is not told again"


def test_write_goes_on_while_valkey_is_away(settings: pytest.FixtureRequest, django_capture_on_commit_callbacks: object) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": ["unix:///nowhere.sock"], "prefix": "headrace"}}
    }  # type: ignore[attr-defined]
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        events.publish(project(), "project", {"type": "dataset_changed", "dataset": "b"})
    assert Event.objects.count() == 1


def test_pages_lose_and_repeat_nothing_with_ties_and_nulls() -> None:
    now = timezone.now()
    for i in range(25):
        Project.objects.create(slug=f"p{i}", name="same" if i % 2 else "other", archived_at=None if i % 3 else now - timedelta(days=i % 4))
    for order in (["-archived_at", "name", "-id"], ["archived_at", "id"], ["-name", "-created_at", "id"]):
        whole = [p.slug for p in paginate(Project.objects.all(), order, None, 200)["items"]]
        seen: list[str] = []
        cursor = None
        while True:
            page = paginate(Project.objects.all(), order, cursor, 4, count=True)
            assert page["total"] == 25
            seen += [p.slug for p in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert seen == whole and len(set(seen)) == 25


@pytest.mark.parametrize(
    "cursor", ["x", "====", "bnVsbA", "W10", "é", "\0", "W1siLWlkIl0sW3sidSI6MX1dXQ", "W1siLWlkIl0sW1tdXV0", "W1siLWlkIl0sWyJ4Il1d"]
)
def test_made_up_cursor_is_told_as_such(cursor: str) -> None:
    with pytest.raises(InvalidInput) as told:
        paginate(Project.objects.all(), "-id", cursor)
    assert told.value.field == "cursor"


def test_limit_outside_the_bounds_is_told() -> None:
    for limit in (0, -1, 201):
        with pytest.raises(InvalidInput):
            paginate(Project.objects.all(), "-id", None, limit)


def test_slug_is_free_and_short() -> None:
    assert unique_slug(Project.objects.all(), "Wine & Co_2") == "wine-co-2"
    project("wine")
    project("wine-2")
    assert unique_slug(Project.objects.all(), "Wine") == "wine-3"
    assert unique_slug(Project.objects.all(), "日本", "project") == "project"
    project("a" * 60)
    assert unique_slug(Project.objects.all(), "a" * 90) == "a" * 58 + "-2"


def test_sign_in_link_works_once_and_not_after_its_time() -> None:
    user = User.objects.create_user("a@example.com", "long enough password")
    secret = links.issue(user).rsplit("/", 1)[1]
    assert not SignInLink.objects.filter(token_hash=secret).exists(), "only the hash is kept"
    assert links.use(secret, SignInLink.Purpose.RESET) is None
    assert links.use(secret, SignInLink.Purpose.SIGN_IN) is not None
    assert links.use(secret, SignInLink.Purpose.SIGN_IN) is None
    late = links.make(user, SignInLink.Purpose.SIGN_IN, timedelta(seconds=-1))
    assert links.use(late, SignInLink.Purpose.SIGN_IN) is None
    for path in ("https://evil.example", "//evil.example", "/\\evil.example"):
        with pytest.raises(ValueError, match="path of this studio"):
            links.issue(user, path)


def test_what_is_past_its_time_goes_and_the_rest_stays() -> None:
    wine, ada = project(), User.objects.create_user("a@example.com")
    events.publish(wine, "project", {"type": "dataset_changed", "dataset": "old"})
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    events.publish(wine, "project", {"type": "dataset_changed", "dataset": "new"})
    for step, expires in ((None, None), (None, -9), (uuid.UUID(int=1), -9), (uuid.UUID(int=2), 1)):
        until = None if expires is None else timezone.now() + timedelta(days=expires)
        ApiToken.objects.create(user=ada, name="t", prefix="hr_", token_hash=f"{step}{expires}", step_run=step, expires_at=until)
    gone = tidy()
    assert (gone["events"], gone["step_tokens"]) == (1, 1) and Event.objects.get().payload["dataset"] == "new"
    assert ApiToken.objects.count() == 3 and tidy()["events"] == 0
