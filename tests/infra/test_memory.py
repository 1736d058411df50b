"""The web process stays small whatever is asked of it: a million rows scrolled, sorted, filtered, searched and downloaded by several at
once, large pictures made small. Its highest resident memory is the kernel's own count."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from infra.supervisor import studio as studios
from tests import tables
from tests.infra.test_client_commands import OTHERS, PASSWORD
from workers.sdk.client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROWS = 1_000_000
MOST_MB = 200
HEAVY = ("torch", "sklearn", "pandas", "pyarrow", "arrow", "scipy", "numpy")
"""Whose libraries may not be mapped into the web process."""


@dataclass
class Web:
    """The web process of a studio, and requests to it."""

    studio: studios.Studio
    token: str

    @property
    def pid(self) -> int:
        return int(self.studio.now()["children"]["web"]["pid"])

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a 200; asks again while the answer is 202."""
        with self._http() as http:
            while (answer := http.get(path, params=params)).status_code == 202:
                assert answer.json()["status"] == "running" and 0 <= answer.json()["progress"] <= 1
                time.sleep(0.2)
            assert answer.status_code == 200, (path, params, answer.status_code, answer.text[:500])
            return answer.json()

    def download(self, path: str) -> tuple[int, int]:
        """(bytes, lines) of it."""
        size = lines = 0
        with self._http() as http, http.stream("GET", path) as answer:
            assert answer.status_code == 200
            for piece in answer.iter_raw():
                size, lines = size + len(piece), lines + piece.count(b"\n")
        return size, lines

    def _http(self) -> httpx.Client:
        base = self.studio.url + "/api/v1/projects/lab"
        return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {self.token}"}, trust_env=False, timeout=600)

    def peak(self, what: str) -> None:
        """Fails when the process was ever larger than it may be."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024
        print(f"after {what}: at most {found} MB")
        assert found <= MOST_MB, f"{what}: {found} MB"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    if not Path("/proc/self/status").exists():
        pytest.skip("the kernel's count of a process's highest memory is read from /proc")
    kept = {name: os.environ.pop(name) for name in OTHERS if name in os.environ}
    folder = Path(tempfile.mkdtemp(prefix="hr-memory-"))
    folder.chmod(0o755)
    try:
        tables.furnish(folder / "data")
        with studios.start(folder / "data", "--port", "0", "--gpu", "none") as running:
            with httpx.Client(base_url=running.url, trust_env=False, timeout=60) as http:
                http.get("/sign-in")
                account = {"email": "mira@example.org", "name": "Mira", "password": PASSWORD}
                for path, body in (("accounts", account), ("tokens", {"name": "memory"})):
                    headers = {"X-CSRFToken": http.cookies["headrace_csrf"], "Referer": running.url}
                    answer = http.post(f"/api/v1/{path}", json=body, headers=headers).raise_for_status()
            with Client(running.url, answer.json()["token"], "lab") as client:
                client.create_project("Lab")
                client.upload(table(folder / "big.parquet"), name="Big", options={"freeze": True})
                client.upload(pictures(folder / "large.zip"), name="Large", options={"freeze": True})
            yield Web(running, answer.json()["token"])
    finally:
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


def table(path: Path) -> Path:
    chance = np.random.default_rng(3)
    numbers = chance.permutation(ROWS)
    columns = {
        "id": np.arange(ROWS),
        "name": pa.array([f"customer number {n:07d} of the old quarter" for n in numbers]),
        "city": pa.array(np.array(["Oslo", "Lima", "Pune", "Kyiv", "Turin"])[numbers % 5]),
        "amount": numbers * 1.5,
        "age": chance.integers(18, 90, ROWS),
        "score": chance.random(ROWS),
    }
    pq.write_table(pa.table(columns), path)
    return path


def pictures(path: Path) -> Path:
    """Three of 100 million pixels."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for shade in range(3):
            out = io.BytesIO()
            Image.new("RGB", (10_000, 10_000), (shade * 80, 90, 120)).save(out, "PNG", compress_level=1)
            archive.writestr(f"{shade}.png", out.getvalue())
    return path


def test_a_million_rows_leave_the_web_process_small(web: Web) -> None:
    version = "/datasets/big/versions/1"

    def rows(**params: Any) -> Any:
        return web.get(f"{version}/rows", **params)

    def together(*asked: Callable[[], Any]) -> list[Any]:
        with ThreadPoolExecutor(8) as clients:
            return [answer.result() for answer in [clients.submit(ask) for ask in asked]]

    scrolled = together(*(lambda at=at: rows(offset=at, limit=1000) for at in range(0, 120_000, 1000)))
    assert [r["rows"][0][0] for r in scrolled] == list(range(0, 120_000, 1000))
    web.peak("scrolling")
    by_name, by_amount, *same = together(lambda: rows(sort="name", limit=5), *[lambda: rows(sort="-amount", limit=5)] * 7)
    assert [r[1] for r in by_name["rows"]] == [f"customer number {n:07d} of the old quarter" for n in range(5)]
    assert [r[3] for r in by_amount["rows"]] == [(ROWS - 1 - n) * 1.5 for n in range(5)] and all(s == by_amount for s in same)
    web.peak("sorting")
    later = together(*(lambda at=at: rows(sort="name", offset=at, limit=200) for at in range(0, 200_000, 10_000)))
    assert [r["rows"][0][3] for r in later] == [at * 1.5 for at in range(0, 200_000, 10_000)]
    web.peak("windows of an order")
    filtered, searched = together(lambda: rows(filter='city == "Oslo" and amount < 300'), lambda: rows(search="NUMBER 000001"))
    assert filtered["total"] == 40 and searched["total"] == 10
    web.peak("filtering and searching")
    forms = ("csv", "jsonl", "parquet")
    csv, lines, parquet = together(*(lambda form=form: web.download(f"{version}/download?format={form}") for form in forms))
    assert csv[1] == ROWS + 1 and lines[1] == ROWS and parquet[0] > 1_000_000
    web.peak("downloads")


def test_large_pictures_leave_the_web_process_small(web: Web) -> None:
    base = "/datasets/large/versions/1"
    with ThreadPoolExecutor(6) as clients:
        found = list(clients.map(lambda i: web.download(f"{base}/items/{i % 3}/file?thumbnail=true"), range(6)))
        list(clients.map(lambda i: web.download(f"{base}/items/{i}/file"), range(3)))
    assert all(0 < size < 50_000 for size, _ in found)
    assert web.get(f"{base}/items", search="1.PNG")["total"] == 1
    web.peak("large pictures")


def test_it_carries_none_of_the_heavy_libraries(web: Web) -> None:
    web.get("/datasets/big/versions/1/rows", sort="age")
    mapped = Path(f"/proc/{web.pid}/maps").read_text()
    assert "psycopg" in mapped, "this is the process that is meant"
    found = {name for name in HEAVY for line in mapped.splitlines() if re.search(rf"/{name}[/.]|lib{name}", line)}
    assert not found, found


def test_a_view_is_made_once_for_all_who_ask_and_needs_no_broker(web: Web) -> None:
    path = "/datasets/big/versions/1/rows"
    folder = web.studio.layout.data / "cache" / "views"
    before = {p.name for p in folder.glob("*.rows")}
    with web._http() as http, ThreadPoolExecutor(20) as clients:
        answers = list(
            clients.map(lambda _: http.get(path, params={"search": "number", "sort": "-score", "wait": 0}).status_code, range(20))
        )
        assert set(answers) <= {200, 202} and 202 in answers
    assert web.get(path, search="number", sort="-score", limit=1)["total"] == ROWS
    assert len({p.name for p in folder.glob("*.rows")} - before) == 1
    broker = psutil.Process(int(web.studio.now()["children"]["valkey"]["pid"]))
    broker.suspend()
    try:
        assert web.get(path, filter="score > 0.5 and age > 30", limit=1)["total"] > 0
    finally:
        broker.resume()
