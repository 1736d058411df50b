"""A host that works for a studio elsewhere: joins it, keeps what that gave, runs the tunnel and the workers until it is told to end.

It keeps no database and no artifacts of its own; what lies in its data directory may be thrown away (the host then joins as a new one).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from infra.supervisor import plan, processes, state
from infra.supervisor.child import Child
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import Layout
from infra.supervisor.log import Log

REMOVED = "exit status 77"
"""As `workers.engine.begin` says it."""
WORKERS_END = 5.0
"""Seconds that workers may take to end by themselves when this host is told to end."""


def join(
    layout: Layout, url: str, token: str, *, name: str, labels: dict[str, str], queues: tuple[str, ...], processes: int
) -> plan.Joined:
    """Exchange the join token at the studio; what it gives is kept, readable by this account alone."""
    from workers.sdk.client import ApiError, Client

    layout.make()
    try:
        with Client(url, patience_s=10) as client:
            answer = client.request("POST", "/hosts/join", json={"token": token, "id": identity(layout), "name": name, "labels": labels})
    except ApiError as exc:
        raise CannotStart(str(exc)) from exc
    host = plan.Joined(
        studio=url.rstrip("/"), token=answer["token"], name=name, labels=labels, queues=queues, processes=processes,
        database=answer["database"], broker=answer["broker"], artifacts=answer["artifacts"],
    )  # fmt: skip
    keep(layout, host)
    return host


def identity(layout: Layout) -> str:
    """As `workers.engine.host.identity`, which reads the same file."""
    path = layout.data / "host_id"
    if not path.exists():
        path.write_text(f"{uuid.uuid4()}\n")
    return path.read_text().strip()


def keep(layout: Layout, host: plan.Joined) -> None:
    fresh = layout.data / ".worker.json"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(host), file, indent=1)
    fresh.rename(layout.data / "worker.json")


def kept(layout: Layout) -> plan.Joined:
    """What joining gave earlier."""
    try:
        found: dict[str, Any] = json.loads((layout.data / "worker.json").read_text())
    except (OSError, ValueError) as exc:
        raise CannotStart(f"{layout.data} has not joined a studio yet: headrace worker join URL --token T.") from exc
    known = {field.name for field in fields(plan.Joined)}
    return plan.Joined(**{**{k: v for k, v in found.items() if k in known}, "queues": tuple(found["queues"])})


def run(layout: Layout, host: plan.Joined, *, logs: bool = False, say: Callable[[str], None] = print) -> None:
    """Until a signal, or until the studio has removed this host."""
    layout.make()
    held = state.lock(layout)
    layout.tidy()
    try:
        asyncio.run(_run(layout, host, Log(layout.log, terminal=logs), say))
    finally:
        layout.tidy()
        os.close(held)


async def _run(layout: Layout, host: plan.Joined, log: Log, say: Callable[[str], None]) -> None:
    processes.adopt_orphans()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    children = [Child(spec, log, lambda: None) for spec in plan.joined(layout, host)]
    removed = False

    def poll() -> None:
        nonlocal removed
        for child in children:
            child.poll()
            if child.last_exit == REMOVED:
                removed = True
                ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGCHLD, poll)
    log.write("headrace", f"works for {host.studio}")
    for child in children:
        child.start()
    say(f"“{host.name}” works for {host.studio}. Log: {layout.log}. Stop with Ctrl-C.")
    await ended.wait()
    workers = [child for child in children if child.spec.name != "tunnel"]
    for child in children:
        child.give_up()
    await asyncio.gather(*(child.stop(WORKERS_END) for child in workers))
    await asyncio.gather(*(child.stop(1) for child in children))
    log.close()
    if removed:
        raise CannotStart("The studio has removed this host; join again with a new token to come back.")
