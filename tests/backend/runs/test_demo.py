"""Starting a demo with one click: real data, a real pipeline, a started run; twice is once."""

from __future__ import annotations

import pytest

from backend.core.models import Membership, Project, User
from backend.datasets.models import Dataset
from backend.datasets.samples import SAMPLES
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
