"""A demo, started with one click: the real data of a template become a data set, the template a pipeline, and the pipeline is run.

The row is the truth: every phase first looks whether it was done, so a worker that is killed in the middle leaves nothing twice.
"""

from __future__ import annotations

import logging
import shutil
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from kombu.exceptions import KombuError

from backend.core.actions.audit import record
from backend.core.errors import HeadraceError, NotFound
from backend.core.models import Project, User
from backend.datasets.actions.importing import import_upload
from backend.datasets.actions.receive import complete_upload, start_upload
from backend.datasets.incoming import bytes_of
from backend.datasets.locks import only_one
from backend.datasets.models import Dataset, Upload
from backend.datasets.samples import SAMPLES, prepare
from backend.pipelines import gallery
from backend.pipelines.actions import create_pipeline
from backend.pipelines.models import Pipeline
from backend.runs.actions.start import Wish, start_run
from backend.runs.models import Demo
from workers import catalog
from workers.sdk import graph as graphs

log = logging.getLogger(__name__)
TASK = "runs.advance_demo"
PATIENCE = timedelta(seconds=20)


def start_demo(project: Project, user: User, slug: str) -> Demo:
    """Begin the demo of the template `slug`; one that is on its way in the project is taken up instead of a second one."""
    if (template := gallery.templates().get(slug)) is None or template.demo is None:
        there = [name for name, one in gallery.templates().items() if one.demo]
        raise NotFound(what="demo", name=slug, hint=f"There are {', '.join(there)}.")
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        demo = Demo.objects.filter(project=project, slug=slug, status__in=["queued", "running"]).first()
        if demo is None:
            demo = Demo.objects.create(project=project, slug=slug, started_by=user, message="waiting for a worker")
            record(user, "demo.start", ("demo", demo.pk, slug), project=project)
        transaction.on_commit(lambda: announce(demo.pk), robust=True)
    return demo


def announce(demo: UUID) -> None:
    """Wake a platform worker. While the broker is away nothing is lost: whoever looks at the demo wakes again."""
    try:
        current_app.send_task(TASK, [str(demo)], queue="platform", retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        log.warning("demo %s is announced later: %s", demo, error)


def wake_demo(demo: Demo) -> None:
    """Wake a worker again for a demo that nobody has moved on for a while."""
    if demo.status in ("queued", "running") and timezone.now() - demo.announced_at > PATIENCE:
        Demo.objects.filter(pk=demo.pk).update(announced_at=timezone.now())
        announce(demo.pk)


def advance_demo(demo_id: UUID) -> None:
    """Do what is left of a demo. Safe to call again and at once from several workers."""
    with only_one(f"demo:{demo_id}") as mine:
        demo = Demo.objects.select_related("project", "started_by").filter(pk=demo_id, status__in=["queued", "running"]).first()
        if not mine or demo is None or demo.started_by is None:
            return
        try:
            _say(demo, 0.05, "fetching the data", status="running")
            demo.dataset = _dataset(demo)
            _say(demo, 0.8, "making the pipeline")
            demo.pipeline = _pipeline(demo, demo.dataset)
            _say(demo, 0.9, "starting the run")
            if demo.run is None:
                with transaction.atomic():
                    demo.run = start_run(demo.project, demo.started_by, demo.pipeline, wish=Wish(name=gallery.template(demo.slug).title))
                    demo.save()
            _say(demo, 1, "started", status="succeeded")
        except OperationalError:
            raise  # the database is away: the demo waits
        except HeadraceError as error:
            told = "; ".join(f"{p.get('field', '')}: {p.get('message', '')}" for p in error.problems[:3])
            _say(demo, demo.progress, f"{error} {told or error.hint}".strip()[:500], status="failed")
        except Exception:
            log.exception("demo %s could not be started", demo.slug)
            _say(demo, demo.progress, "An error of the studio itself stopped the demo; its log says which.", status="failed")


def _say(demo: Demo, progress: float, message: str, status: str = "running") -> None:
    if connection.needs_rollback:
        return
    demo.progress, demo.message, demo.status, demo.announced_at = progress, message, status, timezone.now()
    demo.save()


def _dataset(demo: Demo) -> Dataset:
    """The demo's data set in this project: the one that is there and frozen, else uploaded from the sample."""
    name = gallery.template(demo.slug).demo
    assert name is not None
    while True:
        with only_one(f"demo data:{demo.project_id}:{name}") as mine:
            if mine:
                return _brought(demo, name)
        time.sleep(0.3)  # another demo of this project brings the same data


def _brought(demo: Demo, name: str) -> Dataset:
    sample = SAMPLES[name]
    there = Dataset.objects.filter(project=demo.project, source=sample.source, deleted_at=None, versions__status="frozen").first()
    if there is not None:
        return there
    assert demo.started_by is not None
    path = prepare(name, settings.DATA_DIR / "samples")
    _say(demo, 0.3, "reading the data")
    fields: dict[str, Any] = {
        "filename": sample.filename, "size": path.stat().st_size, "name": sample.name, "dataset": None, "mode": "replace",
        "options": {"freeze": True},
    }  # fmt: skip
    upload = start_upload(demo.started_by, demo.project, demo.started_by, fields)
    target = bytes_of(upload.id)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    Upload.objects.filter(pk=upload.pk).update(received=upload.size)
    complete_upload(demo.started_by, demo.project, upload.id)
    # Here and now instead of in another task, which this one would have to wait for in a worker of its own.
    import_upload(upload.id)
    upload.refresh_from_db()
    while upload.status == "processing":  # another worker had it already: it was announced, too
        time.sleep(0.2)
        import_upload(upload.id)
        upload.refresh_from_db()
    if upload.status != "ready" or upload.dataset is None:
        problem = (upload.problems or [{"message": upload.message}])[0]
        raise SampleUnread(name=sample.name, reason=problem["message"])
    dataset = upload.dataset
    dataset.description, dataset.licence, dataset.source = sample.description, sample.licence, sample.source
    dataset.save()
    record(demo.started_by, "dataset.update", ("dataset", dataset.pk, dataset.slug), project=demo.project)
    return dataset


class SampleUnread(HeadraceError):
    """The data of {name} could not be read: {reason}"""

    status = 502


def _pipeline(demo: Demo, dataset: Dataset) -> Pipeline:
    """The template as a pipeline that reads `dataset`. One made before for this demo is used again."""
    template = gallery.template(demo.slug)
    earlier = Demo.objects.filter(project=demo.project, slug=demo.slug, pipeline__deleted_at=None).exclude(pipeline=None).first()
    if earlier is not None and earlier.pipeline is not None:
        return earlier.pipeline
    assert demo.started_by is not None
    reads = graphs.dataset_references(graphs.normalise(template.graph), catalog.load().components)
    parameters = {reference.step: {reference.parameter: f"{dataset.slug}@latest"} for reference in reads}
    pipeline = create_pipeline(
        demo.project, demo.started_by, template.title, template.summary, template=template.slug, parameters=parameters
    )
    demo.pipeline = pipeline
    demo.save()
    return pipeline
