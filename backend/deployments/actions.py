"""Writes of `deployments`: deploy, roll back, delete, restore. Each says in the database what shall be, tells the predictor, and
waits a moment for it; README.md says which columns the predictor reads and writes."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from uuid import UUID

import redis
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.artifacts.actions import link
from backend.core.actions.audit import record
from backend.core.errors import Conflict, NotFound
from backend.core.events import publish
from backend.core.models import Project, User
from backend.deployments.errors import AlreadyAnswers, CannotAnswerAgain, NothingToRollBackTo
from backend.deployments.models import Deployment, Endpoint, TrafficSplit
from backend.deployments.queries import weights
from backend.registry.models import ModelVersion
from backend.registry.queries import resolve

log = logging.getLogger(__name__)

ROUTING = "headrace:routing"
WAIT_S = 5.0
"""A deployment is promised to answer within this time; after it the answer says `starting`."""
LOOK_S = 0.05
SETTLED = ("live", "failed", "stopped")


def deploy(
    project: Project, user: User, model: str, slug: str | None = None, name: str | None = None, *, step_run: UUID | None = None
) -> Endpoint:
    """Put a model version (`name`, `name@3`, `name@champion`) behind an endpoint, made (or brought back) when missing, with
    all traffic. What answered before goes on answering until the new one is live. A step's repeat makes no second deployment."""
    version = resolve(project, model)
    slug = slug or version.model.slug
    with transaction.atomic():
        spoken = version.model.name if slug == version.model.slug else slug.replace("-", " ").capitalize()
        endpoint = _endpoint(project, user, slug, name or spoken)
        done = Deployment.objects.filter(endpoint=endpoint, step_run=step_run, model_version=version).first() if step_run else None
        if done is None:
            before = _label(endpoint)
            deployment = Deployment.objects.create(endpoint=endpoint, model_version=version, created_by=user, step_run=step_run)
            _give_traffic(endpoint, deployment, user, "deploy")
            link(project, [(("model_version", version.pk), ("deployment", deployment.pk), "deployed as")])
            _told(endpoint, user, "endpoint.deploy", before, _name(version), deployment=str(deployment.pk))
        else:
            deployment = done
    _wait(deployment)
    return endpoint


def rollback(endpoint: Endpoint, user: User, deployment: UUID | None = None) -> Endpoint:
    """Give the traffic back to an earlier deployment: the one named, else the last that had it before."""
    with transaction.atomic():
        held = _lock(endpoint)
        named = weights(held)
        chosen = _earlier(held, set(named)) if deployment is None else _chosen(held, deployment)
        if chosen.status == "live" and chosen.pk in named:
            raise AlreadyAnswers(field="deployment", hint="Choose another one.")
        if chosen.live_at is None or chosen.status == "failed":
            raise CannotAnswerAgain(field="deployment", hint="Deploy the model version again.")
        before = _label(held)
        if chosen.status == "stopped":
            chosen.status, chosen.message, chosen.stopped_at = "starting", "", None
            chosen.save(update_fields=["status", "message", "stopped_at"])
        _give_traffic(held, chosen, user, "rollback")
        if chosen.status == "live":  # it never stopped answering: what was starting in its place is not wanted any more
            held.deployments.filter(status="starting").update(status="stopped", stopped_at=timezone.now())
        _told(held, user, "endpoint.rollback", before, _name(chosen.model_version), deployment=str(chosen.pk))
    _wait(chosen)
    return held


def delete_endpoint(endpoint: Endpoint, user: User) -> None:
    """Stop answering. The history and the split stay, so that it can be restored."""
    with transaction.atomic():
        held = _lock(endpoint)
        if held.deleted_at is not None:
            return
        before = _label(held)
        held.deleted_at = timezone.now()
        held.save(update_fields=["deleted_at"])
        held.deployments.filter(status__in=("live", "starting")).update(status="stopped", stopped_at=held.deleted_at)
        _told(held, user, "endpoint.delete", before, "")


def restore_endpoint(endpoint: Endpoint, user: User) -> None:
    """Answer again with what answered when it was deleted."""
    with transaction.atomic():
        held = _lock(endpoint)
        if held.deleted_at is None:
            return
        held.deleted_at = None
        held.save(update_fields=["deleted_at"])
        back = list(held.deployments.filter(pk__in=weights(held), status="stopped"))
        Deployment.objects.filter(pk__in=[d.pk for d in back]).update(status="starting", message="", stopped_at=None)
        _told(held, user, "endpoint.restore", "", _label(held))
    for deployment in back[:1]:
        _wait(deployment)


def _endpoint(project: Project, user: User, slug: str, name: str) -> Endpoint:
    """The endpoint, locked; made when missing."""
    for _ in range(5):
        found: Endpoint | None = (
            Endpoint.objects.select_for_update(of=("self",)).select_related("project", "split").filter(project=project, slug=slug).first()
        )
        if found is not None:
            if found.deleted_at is not None:
                found.deleted_at = None
                found.save(update_fields=["deleted_at"])
            return found
        try:
            with transaction.atomic():
                made: Endpoint = Endpoint.objects.create(project=project, slug=slug, name=name[:120], created_by=user)
                return made
        except IntegrityError:
            continue  # somebody made it between the look and the insert
    raise Conflict(message=f"The endpoint “{slug}” is being made by many at once.", field="endpoint", hint="Try again.")


def _lock(endpoint: Endpoint) -> Endpoint:
    held: Endpoint = Endpoint.objects.select_for_update(of=("self",)).select_related("project", "split").get(pk=endpoint.pk)
    return held


def _give_traffic(endpoint: Endpoint, deployment: Deployment, user: User, reason: str) -> None:
    shares = [{"deployment": str(deployment.pk), "weight": 100}]
    endpoint.split = TrafficSplit.objects.create(endpoint=endpoint, weights=shares, reason=reason, created_by=user)
    endpoint.save(update_fields=["split"])


def _earlier(endpoint: Endpoint, named: set[UUID]) -> Deployment:
    """Whoever had the traffic last before those that have it now, and can have it again."""
    able = {
        d.pk: d
        for d in endpoint.deployments.select_related("model_version__model").filter(status__in=("stopped", "live"), live_at__isnull=False)
        if d.pk not in named
    }
    for split in endpoint.splits.order_by("-created_at", "-id"):
        for share in split.weights:
            if (found := able.get(UUID(share["deployment"]))) is not None:
                return found
    raise NothingToRollBackTo(hint="Deploy another model version instead.")


def _chosen(endpoint: Endpoint, deployment: UUID) -> Deployment:
    found: Deployment | None = endpoint.deployments.select_related("model_version__model").filter(pk=deployment).first()
    if found is None:
        raise NotFound(what="deployment of this endpoint", name=deployment, field="deployment")
    return found


def _name(version: ModelVersion) -> str:
    return f"{version.model.slug}@{version.number}"


def _label(endpoint: Endpoint) -> str:
    """Which model version has the traffic, for the audit log."""
    found = Deployment.objects.select_related("model_version__model").filter(pk__in=weights(endpoint)).first()
    return _name(found.model_version) if found is not None else ""


def _told(endpoint: Endpoint, user: User, action: str, before: str, after: str, **details: str) -> None:
    """Into the audit log, to the pages, and (after the commit) to the predictor."""
    record(
        user, action, ("endpoint", endpoint.pk, endpoint.slug), {"model": before}, {"model": after}, project=endpoint.project,
        details={"endpoint": endpoint.slug, "from": before, "to": after, **details},
    )  # fmt: skip
    publish(endpoint.project, "project", {"type": "endpoint_changed", "endpoint": endpoint.slug})
    transaction.on_commit(lambda: _wake(endpoint.pk), robust=True)


@lru_cache(maxsize=1)
def _valkey(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)


def _wake(endpoint: UUID) -> None:
    try:
        _valkey(settings.BROKER_URL.replace("redis+socket://", "unix://")).publish(ROUTING, str(endpoint))
    except (redis.RedisError, OSError) as error:  # the predictor also looks every two seconds
        log.warning("the predictor was not told of a change of routing: %s", error)


def _wait(deployment: Deployment) -> None:
    """Until the predictor has said how it went, at most WAIT_S; then tell the pages."""
    deadline = time.monotonic() + WAIT_S
    status = "starting"
    while status not in SETTLED and time.monotonic() < deadline:
        status = Deployment.objects.values_list("status", flat=True).get(pk=deployment.pk)
        if status not in SETTLED:
            time.sleep(LOOK_S)
    endpoint = deployment.endpoint
    publish(endpoint.project, "project", {"type": "endpoint_changed", "endpoint": endpoint.slug})
