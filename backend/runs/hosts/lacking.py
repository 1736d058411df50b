"""Why no host is given a step: one sentence about the need that nothing meets, or about who is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from backend.runs.hosts.models import DeviceLease, Host
from backend.runs.models import StepRun

SILENT = timedelta(seconds=15)
"""As in `sql/17_hosts.sql`: a host that was not heard of for so long is away."""
WORDS = {"paused": "paused", "draining": "being drained", "stopped": "stopped"}


def sentences(step_run_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Step runs that may be given to a host now, or are not queued, are left out."""
    asked = list(step_run_ids)
    steps = list(StepRun.objects.filter(pk__in=asked, status="queued").only("pk", "queue", "needs")) if asked else []
    if not steps:
        return {}
    hosts, now = list(Host.objects.all()), timezone.now()
    held = dict(DeviceLease.objects.values_list("host_id").annotate(n=Count("id")))
    reserved: dict[str, float] = {}
    for worker, needs in StepRun.objects.filter(status="running", needs__has_key="memory_gb").values_list("worker", "needs"):
        host = worker.rpartition(":")[2]
        reserved[host] = reserved.get(host, 0) + float(needs["memory_gb"])
    found = ((step.pk, _why(step.queue, step.needs or {}, hosts, held, reserved, now)) for step in steps)
    return {pk: sentence for pk, sentence in found if sentence}


def _why(
    queue: str, needs: Mapping[str, Any], hosts: list[Host], held: Mapping[UUID, int], reserved: Mapping[str, float], now: datetime
) -> str:
    if not hosts:
        return "No host has joined the studio yet."
    left = hosts
    for name, value in needs.get("labels", {}).items():
        if not (left := [h for h in left if h.labels.get(name) == value]):
            there = sorted({str(h.labels[name]) for h in hosts if name in h.labels})
            alone = not any(h.labels.get(name) == value for h in hosts)
            if not alone:
                return f"No host has all its labels: {_labels(needs['labels'])}."
            return f"No host has label {name}={value}" + (f" (there is {name}={f', {name}='.join(there)})." if there else ".")
    where = f" with {_labels(needs['labels'])}" if needs.get("labels") else ""
    if gpus := needs.get("gpu"):
        most = max(len(h.devices) for h in left)
        left = [h for h in left if len(h.devices) >= gpus]
        if not left:
            has = "none has any" if not most else f"the most that one has is {most}"
            return f"No host{where} has {gpus} GPU{'s' * (gpus > 1)}; {has}."
    if memory := needs.get("memory_gb"):
        most_memory = max(h.memory_bytes for h in left) / 1e9
        left = [h for h in left if h.memory_bytes >= memory * 1e9]
        if not left:
            return f"No host{where} has {memory:g} GB of memory; the most that one has is {most_memory:.1f} GB."
    wanted = [h for h in left if h.wanted == "running"]
    if not wanted:
        return f"{_names(left)} could run it, but {'is' if len(left) == 1 else 'are'} {_states(left)}."
    live = [h for h in wanted if h.beat_at is not None and now - h.beat_at < SILENT]
    if not live:
        return f"{_names(wanted)} could run it, but {'has' if len(wanted) == 1 else 'have'} not been heard of lately."
    serving = [h for h in live if queue in h.queues]
    if not serving:
        return f"No host{where} takes steps of the queue “{queue}”."
    if queue == "gpu" and (having := [h for h in serving if h.devices]):
        serving = [h for h in having if len(h.devices) * h.share - held.get(h.pk, 0) >= (needs.get("gpu") or 1)]
        if not serving:
            return f"All GPUs of {_names(having)} are taken by other steps."
    if memory and not [h for h in serving if reserved.get(str(h.pk), 0) + memory <= h.memory_bytes / 1e9]:
        return f"The memory of {_names(serving)} is set aside for other steps; this one needs {memory:g} GB."
    return ""


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


def _names(hosts: list[Host]) -> str:
    names = [h.name for h in hosts[:3]]
    if len(hosts) > 3:
        names.append(f"{len(hosts) - 3} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _states(hosts: list[Host]) -> str:
    return " or ".join(sorted({WORDS.get(h.wanted, h.wanted) for h in hosts}))
