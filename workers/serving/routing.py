"""Which model answers which endpoint. Read from the database, told of changes over Valkey, looked at again every two seconds
in case a word was lost. A new model is loaded and warmed beside the old one; then the route is swapped in one assignment, so that
no request fails. While the database is away the routes in memory go on answering.

Reads: deployments_endpoint, deployments_trafficsplit, deployments_deployment, registry_*, artifacts_artifact, core_project.
Writes: deployments_deployment.status/live_at/message of deployments it loaded or could not load.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import psycopg
from psycopg.rows import dict_row

from workers.sdk.store import Store
from workers.serving.batching import Batcher
from workers.serving.model import LoadedModel

log = logging.getLogger(__name__)

CHANNEL = "headrace:routing"
DONE_CHANNEL = "headrace:deployment"
POLL_S = 2.0

ROUTES = """
SELECT e.id AS endpoint, p.id AS project, p.slug AS project_slug, e.slug AS endpoint_slug, d.id AS deployment, d.status,
       w.weight, m.slug || '@' || mv.number AS label, a.digest
FROM deployments_endpoint e
JOIN core_project p ON p.id = e.project_id AND p.archived_at IS NULL
JOIN deployments_trafficsplit s ON s.id = e.split_id
CROSS JOIN LATERAL jsonb_to_recordset(s.weights) AS w(deployment uuid, weight int)
JOIN deployments_deployment d ON d.id = w.deployment AND d.status IN ('starting', 'live')
JOIN registry_modelversion mv ON mv.id = d.model_version_id
JOIN registry_model m ON m.id = mv.model_id
JOIN artifacts_artifact a ON a.id = mv.artifact_id
WHERE e.deleted_at IS NULL
ORDER BY e.id, d.created_at
"""
SET_LIVE = "UPDATE deployments_deployment SET status = 'live', live_at = now(), message = '' WHERE id = %s AND status = 'starting'"
SET_FAILED = "UPDATE deployments_deployment SET status = 'failed', message = %s WHERE id = %s AND status = 'starting'"


@dataclass(kw_only=True)
class Served:
    """A deployment that can answer."""

    deployment: str
    batcher: Batcher

    @property
    def model(self) -> LoadedModel:
        return self.batcher.model


@dataclass(kw_only=True)
class Route:
    """An endpoint's traffic: deployments and their shares."""

    endpoint: str
    project: str
    served: list[Served]
    cumulative: list[int] = field(default_factory=list)

    def choose(self) -> Served:
        """One deployment at random by weight."""
        if len(self.served) == 1:
            return self.served[0]
        # Traffic shares need no unguessable numbers.
        return self.served[bisect.bisect_right(self.cumulative, random.random() * self.cumulative[-1])]  # noqa: S311


Key = tuple[str, str]


class Directory:
    """The routes in force. `find` is the hot path: one dictionary look-up."""

    def __init__(self, *, database_url: str, store: Store, executor: ThreadPoolExecutor, told: Callable[[str], Awaitable[None]]):
        self._database_url, self._store, self._executor, self._told = database_url, store, executor, told
        self._routes: dict[Key, Route] = {}
        self._batchers: dict[str, Batcher] = {}
        """By deployment: a model stays loaded while a route names it."""
        self._failed: set[str] = set()
        self._lock = asyncio.Lock()
        self._seen: list[tuple[Any, ...]] | None = None
        self.ready = False

    def find(self, project: str, endpoint: str) -> Route | None:
        return self._routes.get((project, endpoint))

    async def follow(self, wake: asyncio.Event) -> None:
        """Refresh on every word and every POLL_S, for ever."""
        while True:
            wake.clear()
            try:
                await self.refresh()
            except (psycopg.Error, OSError) as error:
                log.warning("routing: the database is away, the routes in memory stay: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL_S)

    async def refresh(self) -> None:
        """Bring routes in line with the database."""
        async with self._lock:
            connection = await psycopg.AsyncConnection.connect(self._database_url, autocommit=True, row_factory=dict_row, connect_timeout=5)
            async with connection:
                rows = await (await connection.execute(ROUTES)).fetchall()
                seen = [tuple(row.values()) for row in rows]
                if seen == self._seen:
                    return
                await self._load_missing(rows, connection)
                self._swap(rows)
                # What this refresh changed itself is not news to the next one.
                for row in rows:
                    if str(row["deployment"]) in self._batchers:
                        row["status"] = "live"
                self._seen = [tuple(row.values()) for row in rows]
                self.ready = True

    async def _load_missing(self, rows: list[dict[str, Any]], connection: psycopg.AsyncConnection[Any]) -> None:
        loop = asyncio.get_running_loop()

        async def load(row: dict[str, Any]) -> None:
            deployment = str(row["deployment"])
            try:
                self._batchers[deployment] = Batcher(await loop.run_in_executor(None, self._load, row), self._executor)
            except Exception as error:  # any fault of a model must not take the predictor down
                log.exception("deployment %s of %s could not be loaded", deployment, row["label"])
                self._failed.add(deployment)
                await connection.execute(SET_FAILED, (str(error)[:500], row["deployment"]))
            else:
                # The route is swapped before the word goes out that the deployment is live.
                self._swap_one(row, rows)
                await connection.execute(SET_LIVE, (row["deployment"],))
            await self._told(deployment)

        known = self._batchers.keys() | self._failed
        missing = {str(r["deployment"]): r for r in rows if str(r["deployment"]) not in known}
        await asyncio.gather(*(load(row) for row in missing.values()))
        for row in rows:  # put back in service after a roll back: still in memory, needs no loading
            if row["status"] == "starting" and str(row["deployment"]) in self._batchers and str(row["deployment"]) not in missing:
                self._swap_one(row, rows)
                await connection.execute(SET_LIVE, (row["deployment"],))
                await self._told(str(row["deployment"]))

    def _load(self, row: dict[str, Any]) -> LoadedModel:
        model = LoadedModel(self._store.fetch_folder(row["digest"]), row["label"])
        model.warm_up()
        return model

    def _swap_one(self, row: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        self._build((row["project_slug"], row["endpoint_slug"]), [r for r in rows if r["endpoint"] == row["endpoint"]])

    def _build(self, key: Key, rows: list[dict[str, Any]]) -> None:
        ready = [(r, self._batchers[str(r["deployment"])]) for r in rows if str(r["deployment"]) in self._batchers and r["weight"] > 0]
        if not ready:
            return  # nothing of the new traffic can answer yet: what answered before goes on
        self._routes[key] = Route(
            endpoint=str(rows[0]["endpoint"]),
            project=str(rows[0]["project"]),
            served=[Served(deployment=str(r["deployment"]), batcher=b) for r, b in ready],
            cumulative=list(accumulate(r["weight"] for r, _ in ready)),
        )

    def _swap(self, rows: list[dict[str, Any]]) -> None:
        wanted: dict[Key, list[dict[str, Any]]] = {}
        for row in rows:
            wanted.setdefault((row["project_slug"], row["endpoint_slug"]), []).append(row)
        for key, group in wanted.items():
            self._build(key, group)
        for key in self._routes.keys() - wanted.keys():
            del self._routes[key]
        used = {s.deployment for route in self._routes.values() for s in route.served}
        for deployment in self._batchers.keys() - used:
            del self._batchers[deployment]
