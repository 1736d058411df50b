"""Reads of `deployments`: endpoints with their live numbers, their history, recent predictions, traffic over time."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q

from backend.core.errors import NotFound
from backend.core.models import Project
from backend.core.queries import paginate
from backend.deployments.errors import BadCursor, BadWindow
from backend.deployments.models import Deployment, Endpoint, Prediction

HISTORY = 100
POINTS = 90
"""About so many points are in a traffic chart, whatever the window."""
BUCKETS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 960)

# Bounded per endpoint whatever the traffic: latency of the newest 2,000 requests, counts from an index up to a limit.
NUMBERS = """
SELECT e.id, minute.requests, recent.p50, recent.p95, coalesce(recent.errors, 0), day.requests
FROM unnest(%s::uuid[]) AS e(id)
CROSS JOIN LATERAL (
  SELECT count(*) AS requests FROM (
    SELECT FROM deployments_prediction p WHERE p.endpoint_id = e.id AND p.at > now() - interval '1 minute' LIMIT 100000) n
) minute
CROSS JOIN LATERAL (
  SELECT count(*) AS requests FROM (
    SELECT FROM deployments_prediction p WHERE p.endpoint_id = e.id AND p.at > now() - interval '1 day' LIMIT 10000) n
) day
CROSS JOIN LATERAL (
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n.latency_us) FILTER (WHERE n.status < 400) / 1000.0 AS p50,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY n.latency_us) FILTER (WHERE n.status < 400) / 1000.0 AS p95,
         avg((n.status >= 400)::int)::float AS errors
  FROM (SELECT p.latency_us, p.status FROM deployments_prediction p
        WHERE p.endpoint_id = e.id AND p.at > now() - interval '5 minutes' ORDER BY p.at DESC LIMIT 2000) n
) recent
"""

TRAFFIC = """
SELECT b.at, count(p.id), count(p.id) FILTER (WHERE p.status >= 400),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY p.latency_us) FILTER (WHERE p.status < 400) / 1000.0,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY p.latency_us) FILTER (WHERE p.status < 400) / 1000.0
FROM (SELECT to_timestamp(floor(extract(epoch FROM now()) / %(bucket)s) * %(bucket)s) AS newest) n
CROSS JOIN generate_series(
  n.newest - make_interval(secs => %(bucket)s * (%(points)s - 1)), n.newest, make_interval(secs => %(bucket)s)
) AS b(at)
LEFT JOIN deployments_prediction p ON p.endpoint_id = %(endpoint)s
     AND p.at >= n.newest - make_interval(secs => %(bucket)s * (%(points)s - 1))
     AND to_timestamp(floor(extract(epoch FROM p.at) / %(bucket)s) * %(bucket)s) = b.at
GROUP BY b.at ORDER BY b.at
"""


def find(project: Project, slug: str, *, deleted: bool = False) -> Endpoint:
    """`deleted`: deleted ones too, for their history and to restore them."""
    found = Endpoint.objects.select_related("project", "split").filter(project=project, slug=slug)
    endpoint: Endpoint | None = (found if deleted else found.filter(deleted_at=None)).first()
    if endpoint is None:
        raise NotFound(what="endpoint", name=slug)
    return endpoint


def weights(endpoint: Endpoint) -> dict[UUID, int]:
    """Who the split in force gives how much."""
    return {UUID(share["deployment"]): int(share["weight"]) for share in (endpoint.split.weights if endpoint.split else [])}


def current(endpoint: Endpoint, deployments: Iterable[Deployment]) -> Deployment | None:
    """The one that answers: of those live the one with most traffic; while a replacement starts, the one it will replace.
    Where none is live, the one that the split names (it is starting, or failed)."""
    shares = weights(endpoint)
    all_ = list(deployments)
    live = [d for d in all_ if d.status == "live"]
    named = [d for d in all_ if d.pk in shares]
    best = max(live, key=lambda d: (shares.get(d.pk, 0), d.live_at or d.created_at), default=None)
    return best or max(named, key=lambda d: (shares[d.pk], d.created_at), default=None)


def _deployment_out(deployment: Deployment, weight: int) -> dict[str, Any]:
    version = deployment.model_version
    return {
        "id": deployment.pk,
        "model": version.model.slug,
        "model_version": version.number,
        "status": deployment.status,
        "message": deployment.message,
        "weight": weight,
        "created_by": deployment.created_by,
        "created_at": deployment.created_at,
        "live_at": deployment.live_at,
        "stopped_at": deployment.stopped_at,
    }


def _share(endpoint: Endpoint, deployment: Deployment, answering: Deployment | None) -> int:
    """Its part of the traffic now: what is not live has none, and what still answers for a starting one has all."""
    if deployment.status != "live" or endpoint.deleted_at is not None:
        return 0
    shares = weights(endpoint)
    if deployment.pk in shares:
        return shares[deployment.pk]
    return 100 if answering is not None and deployment.pk == answering.pk else 0


def _outs(endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """Three queries however many endpoints: deployments, numbers, and the endpoints themselves before."""
    named = {pk for endpoint in endpoints for pk in weights(endpoint)}
    rows = Deployment.objects.select_related("model_version__model", "created_by").filter(endpoint__in=endpoints)
    by_endpoint: dict[UUID, list[Deployment]] = {}
    for row in rows.filter(Q(status__in=("live", "starting")) | Q(pk__in=named)):
        by_endpoint.setdefault(row.endpoint_id, []).append(row)
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [[endpoint.pk for endpoint in endpoints]])
        numbers = {row[0]: row[1:] for row in cursor.fetchall()}
    base = settings.PREDICTOR_PUBLIC_URL.rstrip("/")
    outs = []
    for endpoint in endpoints:
        answering = current(endpoint, by_endpoint.get(endpoint.pk, []))
        requests, p50, p95, errors, day = numbers[endpoint.pk]
        project = endpoint.project.slug
        outs.append(
            {
                "id": endpoint.pk,
                "slug": endpoint.slug,
                "name": endpoint.name,
                "url": f"{base}/v1/{project}/{endpoint.slug}/predict",
                "oip_url": f"{base}/v2/models/{project}.{endpoint.slug}",
                "status": "stopped" if endpoint.deleted_at is not None or answering is None else answering.status,
                "current": _deployment_out(answering, _share(endpoint, answering, answering)) if answering is not None else None,
                "manifest": answering.model_version.manifest if answering is not None else {},
                "requests_per_minute": requests,
                "latency_ms_p50": p50,
                "latency_ms_p95": p95,
                "error_rate": errors,
                "predictions": day,
                "created_at": endpoint.created_at,
            }
        )
    return outs


def list_endpoints(project: Project) -> list[dict[str, Any]]:
    found = Endpoint.objects.select_related("project", "split").filter(project=project, deleted_at=None)
    return _outs(list(found.order_by("name", "id")))


def get_endpoint(project: Project, slug: str) -> dict[str, Any]:
    """With the history that roll back chooses from; a deleted one too, so that its page can offer to restore it."""
    endpoint = find(project, slug, deleted=True)
    history = list(
        Deployment.objects.select_related("model_version__model", "created_by")
        .defer("model_version__manifest")
        .filter(endpoint=endpoint)
        .order_by("-created_at", "-id")[:HISTORY]
    )
    answering = current(endpoint, history)
    return {**_outs([endpoint])[0], "deployments": [_deployment_out(d, _share(endpoint, d, answering)) for d in history]}


def live_history(endpoint: Endpoint, at: datetime | None, cursor: str | None, limit: int) -> Any:
    """Which deployment answered from when to when, newest first; with `at`, what answered at that moment."""
    found = endpoint.live_periods.select_related("deployment__model_version__model", "deployment__created_by")
    if at is not None:
        found = found.filter(Q(until=None) | Q(until__gt=at), since__lte=at)
    page: Any = paginate(found, ("-since", "-id"), cursor, limit)
    page["items"] = [
        {
            "deployment": period.deployment_id,
            "model": period.deployment.model_version.model.slug,
            "model_version": period.deployment.model_version.number,
            "deployed_by": period.deployment.created_by,
            "since": period.since,
            "until": period.until,
        }
        for period in page["items"]
    ]
    return page


def list_predictions(endpoint: Endpoint, cursor: str | None, limit: int) -> dict[str, Any]:
    """Newest first, by keyset on the index (endpoint, at, id). Not `core.paginate`: its order puts nulls last, which this index,
    made for a log of many millions of rows, does not give."""
    limit = max(1, min(limit, 200))
    found = Prediction.objects.filter(endpoint=endpoint).order_by("-at", "-id")
    if cursor:
        at, pk = _decode(cursor)
        found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)
    rows = list(found[: limit + 1])
    items = [
        {
            "id": row.pk,
            "at": row.at,
            "deployment": row.deployment_id,
            "model_version": row.model_version_label,
            "status": row.status,
            "latency_ms": row.latency_us / 1000,
            "input": row.input,
            "output": row.output,
        }
        for row in rows[:limit]
    ]
    return {"items": items, "next": _encode(rows[limit - 1]) if len(rows) > limit else None}


def prediction_image(endpoint: Endpoint, prediction: UUID, index: int) -> str:
    """Digest of an image that was asked about; NotFound when that request had none there, or it was not kept."""
    # Of an image model only: there the predictor itself wrote the digest, elsewhere the caller could have.
    found = Prediction.objects.filter(endpoint=endpoint, pk=prediction, deployment__model_version__manifest__input__kind="image")
    row = found.values_list("input", flat=True).first()
    entry = row[index] if isinstance(row, list) and 0 <= index < len(row) else None
    digest = entry.get("image") if isinstance(entry, dict) else None
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise NotFound(what="image", name=f"{prediction}/{index}")
    return digest


def _encode(row: Prediction) -> str:
    return base64.urlsafe_b64encode(f"{row.at.isoformat()} {row.pk.hex}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, pk = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("a time without a zone")
        return when, UUID(pk)
    except ValueError:
        raise BadCursor(field="cursor", hint="Send what `next` said.") from None


def get_traffic(endpoint: Endpoint, minutes: int) -> dict[str, Any]:
    """Requests, errors and latency per bucket, empty buckets too, oldest first."""
    if not 1 <= minutes <= 1440:
        raise BadWindow(field="minutes", hint=f"You asked for {minutes}.")
    bucket = next((b for b in BUCKETS if minutes * 60 / b <= POINTS), BUCKETS[-1])
    points = -(-minutes * 60 // bucket)
    with connection.cursor() as cursor:
        cursor.execute(TRAFFIC, {"endpoint": endpoint.pk, "bucket": bucket, "points": points})
        rows = cursor.fetchall()
    names = ("at", "requests", "errors", "latency_ms_p50", "latency_ms_p95")
    return {"bucket_s": bucket, "points": [dict(zip(names, row, strict=True)) for row in rows]}


def answering_models(models: Iterable[UUID]) -> dict[UUID, list[str]]:
    """For the registry: where a version of each model answers now."""
    rows = (
        Deployment.objects.filter(model_version__model__in=list(models), status="live", endpoint__deleted_at=None)
        .order_by("endpoint__slug")
        .values_list("model_version__model_id", "endpoint__slug")
        .distinct()
    )
    found: dict[UUID, list[str]] = {}
    for model, slug in rows:
        found.setdefault(model, []).append(slug)
    return found
