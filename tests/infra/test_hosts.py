"""A studio in one network namespace, a host that has joined it in another: as two machines with a cable between them that can be pulled."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.supervisor import state
from infra.supervisor.layout import ROOT, Layout
from tests.workers.engine.studio import PLUGIN

Json = dict[str, Any]
NEAR, FAR, HERE, THERE = f"hr-a{os.getpid()}", f"hr-b{os.getpid()}", "10.231.7.1", "10.231.7.2"
CUT = f"hrv{os.getpid()}"[:14]
OTHERS = ("HEADRACE_DATA_DIR", "DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def cable() -> Iterator[None]:
    """Two namespaces joined by a pair of virtual cards."""
    if not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("needs iproute2 and unshare")
    try:
        ip("netns", "add", NEAR)
    except subprocess.CalledProcessError as exc:
        pytest.skip(f"network namespaces may not be made here: {exc.stderr.strip()}")
    try:
        ip("netns", "add", FAR)
        ip("-n", NEAR, "link", "add", CUT, "type", "veth", "peer", "name", "far", "netns", FAR)
        for space, card, address in ((NEAR, CUT, HERE), (FAR, "far", THERE)):
            ip("-n", space, "addr", "add", f"{address}/24", "dev", card)
            ip("-n", space, "link", "set", card, "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield
    finally:
        for space in (NEAR, FAR):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", space)


def until(true: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class Lab:
    """The studio over HTTP as its administrator (asked from inside its namespace), and its host."""

    def __init__(self, folder: Path):
        self.folder, self.layout = folder, Layout.of(folder / "studio")
        self.env = {k: v for k, v in os.environ.items() if k not in OTHERS} | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}", "HEADRACE_LEASE_S": "4", "HEADRACE_PRELOAD": "0", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.said = (folder / "said").open("wb")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.inside = ThreadPoolExecutor(1, initializer=self._enter)
        self.http = httpx.Client(base_url=f"http://{HERE}:8000", trust_env=False, timeout=60)
        self.http.cookies.set("headrace_csrf", "a" * 32, domain=HERE)  # what the first page would have set

    @staticmethod
    def _enter() -> None:
        with open(f"/var/run/netns/{NEAR}") as space:
            assert ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0x40000000) == 0

    def spawn(self, space: str, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["ip", "netns", "exec", space, *command], env=self.env, cwd=ROOT, stdout=self.said, stderr=self.said)
        self.processes.append(process)
        return process

    def ask(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        headers = {"X-CSRFToken": self.http.cookies.get("headrace_csrf", ""), "Origin": f"http://{HERE}:8000"}
        answer = self.inside.submit(self.http.request, method, f"/api/v1{path}", json=body, headers=headers).result()
        assert answer.status_code == status if status else answer.status_code < 400, (method, path, answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    def open(self) -> None:
        up = ("up", "--host", HERE, "--port", "8000", "--workers-cpu", "1", "--data-dir", str(self.layout.data))
        self.spawn(NEAR, sys.executable, "-m", "infra", *up)
        until(lambda: state.running(self.layout).get("status") == "ready", "the studio", 180)
        self.ask("POST", "/accounts", {"email": "ada@lab.example", "name": "Ada", "password": "correct horse battery"})
        self.ask("POST", "/projects", {"name": "Lab", "slug": "lab"})

    def join(self, secret: str, name: str = "factory", *labels: str) -> subprocess.Popen[bytes]:
        """As on another machine: a network and a process table of its own."""
        marks = [word for label in labels for word in ("--label", label)]
        return self.spawn(
            FAR, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-m", "infra", "worker", "join",
            f"http://{HERE}:8000", "--token", secret, "--name", name, *marks, "--processes", "1", "--data-dir", str(self.folder / name),
        )  # fmt: skip

    def host(self, name: str = "factory") -> Json:
        found: list[Json] = [h for h in self.ask("GET", "/hosts") if h["name"] == name]
        return found[0] if found else {"state": "not there", "processes": []}

    def want(self, wanted: str, *states: str) -> None:
        self.ask("PATCH", f"/hosts/{self.host()['id']}", {"wanted": wanted})
        until(lambda: self.host()["state"] in states, f"the host is {' or '.join(states)}, not {self.host()['state']}")

    def start(self, **steps: Json) -> str:
        slug = self.ask("POST", "/projects/lab/pipelines", {"name": "Line", "graph": {"steps": steps}})["slug"]
        return str(self.ask("POST", "/projects/lab/runs", {"pipeline": slug, "use_cache": False})["id"])

    def step(self, run: str, key: str) -> Json:
        found: Json = next(s for s in self.ask("GET", f"/projects/lab/runs/{run}")["step_runs"] if s["step"] == key)
        return found

    def ended(self, run: str) -> Json:
        found: Json = until(lambda: (r := self.ask("GET", f"/projects/lab/runs/{run}"))["finished_at"] and r, "the run ends", 120)
        return found

    def where(self, run: str) -> dict[str, str]:
        """Step → the name of the host that ran its last attempt."""
        with psycopg.connect(state.running(self.layout)["environment"]["DATABASE_URL"]) as connection:
            rows = connection.execute(
                "SELECT s.step, h.name FROM runs_steprun s JOIN runs_host h ON h.id = ledger_host(s.worker) WHERE s.run_id = %s", (run,)
            ).fetchall()
        return dict(rows)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.inside.shutdown()


@pytest.fixture(scope="module")
def lab(cable: None) -> Iterator[Lab]:
    folder = Path(tempfile.mkdtemp(prefix="hr-hosts-"))
    folder.chmod(0o755)
    made = Lab(folder)
    try:
        made.open()
        secret = made.ask("POST", "/join-tokens", {"name": "Factory hall 3"}, 201)["secret"]
        made.join(secret, "factory", "site=factory-3")
        until(lambda: made.host()["state"] == "running", "the host has joined")
        yield made
    finally:
        made.close()
        if os.environ.get("HEADRACE_TEST_LOG"):
            for log in (made.layout.log, folder / "said", folder / "factory" / "logs" / "headrace.log"):
                text = log.read_text(errors="replace") if log.exists() else "none"
                print(f"==== {log}\n{text[-6000:]}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)


def there(component: str, **step: Any) -> Json:
    return {"component": component, "needs": {"labels": {"site": "factory-3"}}, **step}


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_step_lands_only_where_its_needs_are_met_and_its_output_comes_back(lab: Lab) -> None:
    host = lab.host()
    assert (host["labels"], host["studio"], len(host["processes"])) == ({"site": "factory-3"}, False, 1)
    assert set(host["queues"]) == {"io", "cpu", "gpu"} and host["memory_bytes"] > 0 and host["versions"]["python"]
    words = "what the far machine says " * 2000
    run = lab.start(
        **{f"here_{n}": there("speech", parameters={"text": words[n:]}) for n in range(4)},
        last=there("add", inputs={"first": [{"step": f"here_{n}", "output": "recipe"} for n in range(4)]}),
    )  # fmt: skip
    assert lab.ended(run)["status"] == "succeeded"
    assert set(lab.where(run).values()) == {"factory"}
    kept = lab.step(run, "here_2")["outputs"][0]["artifact"]
    assert kept["size"] > 16 * 1024, "its bytes went through the store, not the ledger"
    assert lab.ask("GET", f"/projects/lab/artifacts/{kept['id']}/download")["text"] == words[2:]


def test_a_need_that_no_host_meets_is_told(lab: Lab) -> None:
    run = lab.start(far={"component": "number", "needs": {"labels": {"site": "factory-4"}}})
    told = until(lambda: lab.step(run, "far")["message"], "a word about what is missing")
    assert told == "No host has label site=factory-4 (there is site=factory-3)."
    assert lab.step(run, "far")["status"] == "queued"
    lab.ask("POST", f"/projects/lab/runs/{run}/cancel")


def test_paused_drained_and_stopped_from_the_page(lab: Lab) -> None:
    lab.want("paused", "paused")
    run = lab.start(far=there("number"))
    assert until(lambda: lab.step(run, "far")["message"], "why it waits") == "factory could run it, but is paused."
    lab.want("running", "running")
    assert lab.ended(run)["status"] == "succeeded"

    slow, later = [
        lab.start(far=there("mark", parameters={"folder": str(lab.folder), "name": n, "seconds": s}))
        for n, s in (("slow", 6), ("later", 0))
    ]
    until(lambda: lab.step(slow, "far")["status"] == "running", "the slow step runs")
    assert lab.host()["processes"][0]["step"]["run"] == slow, "the page shows what the process does"
    lab.want("draining", "draining", "drained")
    assert lab.ended(slow)["status"] == "succeeded", "what runs is finished"
    until(lambda: lab.host()["state"] == "drained", "drained")
    assert lab.step(later, "far")["status"] == "queued", "and nothing more is taken"

    lab.want("stopped", "stopped")
    assert lab.host()["processes"] == []
    lab.want("running", "running")
    assert lab.ended(later)["status"] == "succeeded"


def test_a_cut_cable_costs_an_attempt_and_not_the_run(lab: Lab) -> None:
    run = lab.start(far=there("mark", parameters={"folder": str(lab.folder), "name": "cut", "seconds": 12}))
    until(lambda: lab.step(run, "far")["status"] == "running", "the step runs")
    ip("-n", NEAR, "link", "set", CUT, "down")
    until(lambda: lab.step(run, "far")["status"] == "queued", "the step is taken back")
    until(lambda: lab.host()["state"] == "away", "the host is missed")
    ip("-n", NEAR, "link", "set", CUT, "up")
    assert lab.ended(run)["status"] == "succeeded"
    assert lab.step(run, "far")["attempt"] >= 2 and lab.where(run) == {"far": "factory"}


def test_a_host_speaks_to_the_database_only_as_a_worker(lab: Lab) -> None:
    """Whoever has a host's token cannot read a table, nor become somebody else; a removed host is cut off."""
    sockets = next((lab.folder / "factory" / "run").rglob(".s.PGSQL.5432"), None) or next(
        Path(tempfile.gettempdir()).glob("headrace-*/.s.PGSQL.5432")
    )
    with psycopg.connect(f"postgresql://headrace@/headrace?host={sockets.parent}", autocommit=True) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("headrace_worker",)
        for query in ("SELECT * FROM core_user", "DELETE FROM runs_host", "SET ROLE headrace", "SELECT ledger_cancel(gen_random_uuid())"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)
    lab.want("stopped", "stopped")
    lab.ask("DELETE", f"/hosts/{lab.host()['id']}", status=204)
    until(lambda: lab.processes[-1].poll() is not None, "the removed host ends by itself")
