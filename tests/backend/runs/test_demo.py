"""Starting a demo with one click: real data, a real pipeline, a started run; twice is once."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from django.db import connection

from backend.core.errors import NotFound
from backend.core.models import Membership, Project, User
from backend.datasets.models import Dataset
from backend.datasets.samples import SAMPLES
from backend.pipelines.models import Pipeline
from backend.runs.actions import demo as demos
from backend.runs.models import Demo, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> tuple[Project, User]:
    user = User.objects.create_user("ann@example.org", "x")
    project = Project.objects.create(slug="garden", name="Garden", created_by=user)
    Membership.objects.create(project=project, user=user, role="owner")
    return project, user


def test_a_demo_becomes_a_data_set_a_pipeline_and_a_run_once(owner: tuple[Project, User]) -> None:
    project, user = owner
    begun = demos.start_demo(project, user, "bikes")
    assert demos.start_demo(project, user, "bikes").pk == begun.pk, "a double click must not start two"
    demos.advance_demo(begun.pk)
    demos.advance_demo(begun.pk)
    begun.refresh_from_db()
    assert (begun.status, begun.message) == ("succeeded", "started")
    dataset = Dataset.objects.get(project=project)
    assert dataset.versions.get().status == "frozen" and dataset.versions.get().item_count == 8645
    assert "CC BY" in dataset.licence
    run = Run.objects.get(project=project)
    read = next(s for s in run.graph["steps"].values() if s["component"] == "read_table")
    assert read["parameters"]["dataset"].startswith(f"{dataset.slug}@1#")

    again = demos.start_demo(project, user, "bikes")
    demos.advance_demo(again.pk)
    assert Dataset.objects.count() == 1 and Run.objects.count() == 2, "the second time the data and the pipeline are there"
    assert Demo.objects.get(pk=again.pk).pipeline_id == begun.pipeline_id


def test_demos_of_several_patterns_share_their_data_and_bring_what_they_use(owner: tuple[Project, User]) -> None:
    project, user = owner
    begun = [demos.start_demo(project, user, slug) for slug in ("rounds", "shards", "nested")]
    together = [threading.Thread(target=_advance, args=(one.pk,)) for one in begun[:2]]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    demos.advance_demo(begun[2].pk)
    told = [(one.status, one.message) for one in Demo.objects.order_by("created_at")]
    assert told == [("succeeded", "started")] * 3, told
    bikes, income = (Dataset.objects.get(source=SAMPLES[name].source) for name in ("bikes", "income"))
    assert Dataset.objects.count() == 2, "two demos at once brought the same data twice"
    read = [run.graph["steps"]["read"]["parameters"]["dataset"].partition("#")[0] for run in Run.objects.order_by("created_at")]
    assert sorted(read) == [f"{bikes.slug}@1", f"{bikes.slug}@1", f"{income.slug}@1"]
    titles = set(Pipeline.objects.values_list("name", flat=True))
    assert titles == {"Clean round after round", "Clean in shards, then join", "A pipeline as one step", "Clean, split and prepare"}
    with pytest.raises(NotFound, match="span-tagging"):  # a template without data of its own
        demos.start_demo(project, user, "span-tagging")


def _advance(pk: UUID) -> None:
    try:
        demos.advance_demo(pk)
    finally:
        connection.close()


def test_what_keeps_a_demo_from_starting_is_told(owner: tuple[Project, User], monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.datasets.samples.fetch import SampleUnavailable

    def away(slug: str, cache: object) -> None:
        raise SampleUnavailable(package="ISLP==0.6.0", reason="no network", hint="Demo data needs the package registry once.")

    monkeypatch.setattr(demos, "prepare", away)
    begun = demos.start_demo(*owner, "bikes")
    demos.advance_demo(begun.pk)
    begun.refresh_from_db()
    assert begun.status == "failed" and "no network" in begun.message
    assert not Dataset.objects.exists()


def test_two_demos_in_one_project_do_not_take_each_others_data() -> None:
    told = [sample.source for sample in SAMPLES.values()]
    assert len(set(told)) == len(told), "a demo finds its data set again by its source"
