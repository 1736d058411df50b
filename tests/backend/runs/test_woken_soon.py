"""A worker is woken for a first step while the run is being written: once, for a step that runs in any case, where the run is there in a
moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import redis

from backend.core.models import AuditEntry, Project
from backend.pipelines.models import Pipeline
from backend.runs.models import Run, StepRun
from tests.backend.people import Person
from tests.workers.engine.studio import step
from workers.sdk import wake

pytestmark = pytest.mark.django_db(transaction=True)

MARK = {"folder": "", "name": "x"}  # not cacheable: it runs in any case
Woken = list[tuple[str, bool, bool]]
"""(step, whether soon, whether it was written when it was said)"""


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool, bool]]:
    told: list[tuple[str, bool, bool]] = []

    def noted(url: str, ready: Iterable[tuple[str, str]], *, soon: bool = False) -> None:
        told.extend((pk, soon, StepRun.objects.filter(pk=pk).exists()) for _, pk in ready)

    monkeypatch.setattr(wake, "wake", noted)
    monkeypatch.setattr(wake, "SOON_S", 60.0)  # a busy machine may take longer than the real one to write a run
    return told


def started(editor: Person, steps: dict[str, Any], **asked: Any) -> dict[str, str]:
    """{step: its id} of a run that was started of these steps, published before."""
    pipeline, _ = Pipeline.objects.get_or_create(project=editor.project, slug="line", name="Line")
    Pipeline.objects.filter(pk=pipeline.pk).update(draft={"steps": steps})
    version = editor.post("/pipelines/line/publish", {})["number"]
    run = editor.post("/runs", {"pipeline": "line", "version": version, **asked})
    return {one["step"]: one["id"] for one in run["step_runs"]}


def test_a_worker_is_woken_once_and_before_the_run_is_written(editor: Person, woken: Woken) -> None:
    ids = started(editor, {"known": step("number", value=1), "first": step("mark", **MARK), "then": step("nothing", "first")})
    assert woken == [(ids["first"], True, False), (ids["known"], False, True)]
    told = AuditEntry.objects.get(action="run.start")
    assert (told.target_label, told.details["number"]) == ("run 1", 1)
    assert (told.project, told.actor_label) == (editor.project, editor.user.email)


def test_what_the_cache_may_hold_is_worth_no_way_for_nothing(editor: Person, woken: Woken) -> None:
    ids = started(editor, {"a": step("number", value=1)})
    assert woken == [(ids["a"], False, True)]
    del woken[:]
    ids = started(editor, {"a": step("number", value=1)}, use_cache=False)
    assert woken == [(ids["a"], True, False)]


def test_a_run_that_took_too_long_to_write_is_told_again(editor: Person, woken: Woken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "SOON_S", 0.0)
    ids = started(editor, {"first": step("mark", **MARK)})
    assert woken == [(ids["first"], True, False), (ids["first"], False, True)]


def test_a_broker_that_is_away_changes_nothing(editor: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bool] = []

    def away(url: str, ready: Iterable[tuple[str, str]], *, soon: bool = False) -> None:
        if list(ready):
            tried.append(soon)
            raise redis.ConnectionError("away")

    monkeypatch.setattr(wake, "wake", away)
    assert started(editor, {"first": step("mark", **MARK)})
    assert tried == [True, False] and Run.objects.get().status == "queued"


def test_in_a_transaction_nobody_is_woken_before_its_end(editor: Person, woken: Woken, project: Project) -> None:
    """A request that is kept by its key is one transaction: what is not committed a moment later no worker would find."""
    Pipeline.objects.create(project=project, slug="line", name="Line", draft={"steps": {"first": step("mark", **MARK)}})
    run = editor.post("/runs", {"pipeline": "line"}, **{"Idempotency-Key": "one"})
    assert woken == [(run["step_runs"][0]["id"], False, True)]
