"""For a while everything that may break breaks, again and again, at random. Nothing of anybody's work may be lost by it.

The short one always plays the same seed, the long one another each time. `HEADRACE_FAULTS_SEED` repeats a seed, `HEADRACE_FAULTS_MINUTES`
says how long the long one lasts (10).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.workers.engine.faults import World, graph
from tests.workers.engine.studio import FINISHED, plugin, until
from workers.sdk.client import ApiError, Client

Json = dict[str, Any]
OUTPUTS = """SELECT s.step, o.port, a.kind, a.digest FROM runs_steprun s JOIN runs_stepoutput o ON o.step_run_id = s.id
               JOIN artifacts_artifact a ON a.id = o.artifact_id WHERE s.run_id = %s ORDER BY 1, 2"""
STATES = "SELECT step, status, skip_reason FROM runs_steprun WHERE run_id = %s AND parent_id IS NULL ORDER BY 1"


class Player:
    """Starts runs as people do, over HTTP, sending again what got no answer, and knows what each must give."""

    def __init__(self, world: World, chance: random.Random, graphs: int) -> None:
        self.world, self.chance = world, chance
        self.right: dict[str, tuple[str, Any, Any]] = {}
        self.started: dict[str, Json] = {}
        self.sent: list[tuple[str, Json]] = []
        self.hurried: dict[str, str] = {}
        self.cancelling: set[str] = set()
        with self.client() as client:
            for n in range(graphs):
                made = client.create_pipeline(f"Graph {n}", graph=graph(chance))
                quiet = client.request(
                    "POST", "/projects/lab/runs", json={"pipeline": made["slug"], "use_cache": False, **self.values(f"quiet-{n}")}
                )
                ended = world.wait(quiet["id"], 120)
                self.right[made["slug"]] = (ended["status"], world.query(STATES, quiet["id"]), world.query(OUTPUTS, quiet["id"]))

    def client(self, key: str = "") -> Client:
        return Client(
            f"http://127.0.0.1:{self.world.port}", self.world.token, "lab", idempotency=key, timeout_s=5, patience_s=0
        )  # fmt: skip

    def values(self, name: str) -> Json:
        folder = self.world.marks / name
        folder.mkdir(exist_ok=True)
        return {"values": {"folder": str(folder)}}

    def play(self) -> None:
        """One more run, or one that is cancelled."""
        going = len(self.sent) + len([r for r in self.started.values() if r["status"] not in FINISHED])
        if going < 6:
            key = uuid.UUID(int=self.chance.getrandbits(128)).hex
            body = {"pipeline": self.chance.choice(sorted(self.right)), "use_cache": False, **self.values(key)}
            if self.chance.random() < 0.5:
                self.hurry(key, body)
            else:
                self.sent.append((key, body))
        self.send()

    def hurry(self, key: str, body: Json) -> None:
        """Sent once and without a key, of a version: the way without a transaction, on which a worker is woken before the run is written.
        Whether it was started is seen later, by its name."""
        self.hurried[key] = body["pipeline"]
        with contextlib.suppress(ApiError), self.client() as client:
            client.request("POST", "/projects/lab/runs", json={**body, "version": 1, "name": key})

    def send(self) -> None:
        """What got no answer is sent again with the same key."""
        for key, body in list(self.sent):
            with contextlib.suppress(ApiError), self.client(key) as client:
                self.started[key] = client.request("POST", "/projects/lab/runs", json=body, key="start") | {"slug": body["pipeline"]}
                self.sent.remove((key, body))
                if self.chance.random() < 0.15:
                    self.cancelling.add(key)
        for key in sorted(self.cancelling):
            self.started[key]["asked"] = True  # also where the answer is lost
            with contextlib.suppress(ApiError), self.client() as client:
                try:
                    client.cancel_run(self.started[key]["id"])
                except ApiError as error:
                    if error.status != 409:  # it is over already
                        raise
                self.cancelling.discard(key)
        with contextlib.suppress(psycopg.OperationalError):
            rows = self.world.query("SELECT id::text, status, name FROM runs_run")
            now = {one: status for one, status, _ in rows}
            for one, status, name in rows:
                if name in self.hurried:
                    self.started[name] = {"id": one, "status": status, "slug": self.hurried.pop(name)}
            for run in self.started.values():
                run["status"] = now.get(run["id"], run["status"])


def check(world: World, player: Player) -> None:
    """Every run ended in its right state, every step was committed once, with the outputs of a quiet run; nothing is left over."""
    for key, run in player.started.items():
        state, steps, outputs = player.right[run["slug"]]
        ended = world.run(run["id"])
        told = f"{key} {run['slug']} {ended['status']} {json.dumps(ended['error'])[:500]}"
        if run.get("asked") and ended["status"] == "cancelled":
            assert set(world.query(OUTPUTS, run["id"])) <= set(outputs) or state == "failed", told
        else:
            assert ended["status"] == state, told
            if state == "succeeded":
                assert world.query(STATES, run["id"]) == steps, told
                assert world.query(OUTPUTS, run["id"]) == outputs, told
    assert world.query("SELECT count(*) FROM runs_run WHERE status NOT IN ('succeeded', 'failed', 'cancelled')") == [(0,)]
    assert world.query("SELECT count(*) FROM runs_run")[0][0] == len(player.started) + len(player.right), "a start counted twice"
    twice = world.query("SELECT step_run_id FROM runs_attempt WHERE status = 'succeeded' GROUP BY 1 HAVING count(*) > 1")
    # A step that hands itself over (shards, rounds) ends an attempt each time and goes on in the next.
    handed = {i for (i,) in world.query("SELECT id FROM runs_steprun WHERE flow ?| ARRAY['map', 'repeat']")}
    assert {i for (i,) in twice} <= handed, "a step was committed twice"
    assert world.query("SELECT count(*) FROM runs_attempt WHERE status = 'running'") == [(0,)]
    assert world.query("SELECT count(*) FROM runs_steprun WHERE status IN ('running', 'queued', 'waiting')") == [(0,)]
    assert world.query("SELECT count(*) FROM core_apitoken WHERE step_run IS NOT NULL AND revoked_at IS NULL") == [(0,)]
    assert world.query("SELECT count(*) FROM runs_run WHERE steps_done <> steps_total") == [(0,)]
    assert world.query("SELECT count(*) FROM runs_devicelease") == [(0,)], "a device is held by nobody"


def play(seed: int, seconds: float, graphs: int) -> Json:
    chance = random.Random(seed)
    with plugin():
        world = World(chance)
        try:
            player = Player(world, chance, graphs)
            end, harmed = time.monotonic() + seconds, 0.0
            while time.monotonic() < end:
                if time.monotonic() >= harmed:
                    world.harm()
                    harmed = time.monotonic() + chance.uniform(0.3, 3)
                world.all_well()
                world.mend()
                player.play()
                time.sleep(0.1)
            world.mend(all_of_it=True)

            def over() -> bool:
                world.all_well()
                player.send()
                return not player.sent and all(r["status"] in FINISHED for r in player.started.values())

            until(over, 180, lambda: f"{[r for r in player.started.values() if r['status'] not in FINISHED]} {player.sent}")
            check(world, player)
            valkey = world.connect_valkey()

            def left() -> Json:
                found = {q: valkey.llen(q) for q in ("io", "cpu", "gpu")} | {"unacked": valkey.hlen("unacked")}
                return {name: count for name, count in found.items() if count}

            until(lambda: not left(), 90, lambda: f"messages are left: {left()}")
            world.end_parts()
            until(
                lambda: not [p for p in world.leftovers() if "postgres" not in p and "valkey" not in p], 20, lambda: str(world.leftovers())
            )
            assert world.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
            scratch = world.folder / "data" / "scratch"
            folders = [p.name for p in scratch.iterdir()] if scratch.exists() else []
            return {"seed": seed, "seconds": seconds, "runs": len(player.started), "harms": dict(world.harms), "scratch": len(folders)}
        finally:
            world.close()


@pytest.fixture
def seed() -> Iterator[int]:
    chosen = int(os.environ.get("HEADRACE_FAULTS_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"HEADRACE_FAULTS_SEED={chosen}")
    yield chosen


@pytest.mark.timeout(600)
def test_a_short_storm() -> None:
    print(play(int(os.environ.get("HEADRACE_FAULTS_SEED", "1")), 15, 2))


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_a_long_storm(seed: int) -> None:
    print(play(seed, 60 * float(os.environ.get("HEADRACE_FAULTS_MINUTES", "10")), 12))
