"""Ingestion: rows (and images) a second from an uploaded file to a frozen version.

The floor for rows is pyarrow reading the same CSV and writing Parquet; for images unpacking the zip, hashing and opening each. Then a
first sort of a million rows and a window of it, beside pyarrow doing the same bare, and the web process's largest resident memory.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import re
import tempfile
import time
import zipfile
from pathlib import Path

from tests.bench.main import Row
from tests.bench.setup import URL, account
from workers.sdk.client import Client

ROWS = 200_000
IMAGES = 3_000
SORTED = 1_000_000


def table(path: Path) -> None:
    chance = random.Random(7)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "age", "income", "city", "joined", "active"])
        cities = ["Oslo", "Lima", "Pune", "Kyiv", "Turin"]
        for index in range(ROWS):
            day = f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            writer.writerow(
                [index, chance.randint(18, 90), round(chance.gauss(40000, 9000), 2), chance.choice(cities), day, chance.random() < 0.5]
            )


def pictures(path: Path) -> None:
    from PIL import Image

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as images:
        for index in range(IMAGES):
            buffer = io.BytesIO()
            Image.frombytes("L", (28, 28), hashlib.sha512(str(index).encode()).digest() * 13, "raw").save(buffer, "PNG")
            images.writestr(f"{'ab'[index % 2]}/{index}.png", buffer.getvalue())


def upload(client: Client, path: Path, name: str) -> float:
    began = time.perf_counter()
    client.upload(path, name=name, options={"freeze": True})
    return time.perf_counter() - began


def asked(client: Client, path: str, **params: object) -> float:
    """Seconds until the window is there, however often it is asked for."""
    began = time.perf_counter()
    while "progress" in client.request("GET", f"/projects/bench/datasets/bench-order/versions/1/rows{path}", params=params):
        time.sleep(0.05)
    return time.perf_counter() - began


def order(client: Client, scratch: Path) -> None:
    """A first sort of a million rows, the window after it, and the most that the web process ever took (it has no floor but its bound)."""
    import numpy as np
    import psutil
    import pyarrow as pa
    from pyarrow import compute, parquet

    chance = np.random.default_rng(7)
    numbers = chance.permutation(SORTED)
    sorted_by = {"name": pa.array([f"customer {n:07d}" for n in numbers]), "amount": numbers * 1.5, "age": chance.integers(18, 90, SORTED)}
    path = scratch / "order.parquet"
    parquet.write_table(pa.table(sorted_by), path)
    upload(client, path, "Bench order")
    client.request("GET", "/projects/bench/datasets/bench-order/versions/1/rows")
    for column in ("name", "amount"):
        began = time.perf_counter()
        order = compute.sort_indices(parquet.read_table(path, columns=[column]), sort_keys=[(column, "ascending")])
        floor = time.perf_counter() - began
        ours = asked(client, "", sort=column, wait=30)
        print(Row(part="ingestion", name=f"first sort of {SORTED:,} rows by {column}", ours=ours, floor=floor, unit="s",
                  floor_is="pyarrow read and sort of the column").line(), flush=True)  # fmt: skip
        began = time.perf_counter()
        parquet.read_table(path).take(order[5000:5200]).to_pylist()
        floor = time.perf_counter() - began
        ours = asked(client, "", sort=column, offset=5000, limit=200)
        print(Row(part="ingestion", name=f"next window of it by {column}", ours=ours, floor=floor, unit="s",
                  floor_is="pyarrow read and take of the rows").line(), flush=True)  # fmt: skip
    state = json.loads((Path(os.environ["HEADRACE_DATA_DIR"]) / "supervisor.json").read_text())
    web = int(state["children"]["web"]["pid"])
    status = Path(f"/proc/{web}/status")
    most = int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) * 1024 if status.exists() else psutil.Process(web).memory_info().rss
    largest = Row(part="ingestion", name="web process at its largest", ours=most / 2**20, floor=200, unit="MB", floor_is="its bound")
    print(largest.line(), flush=True)


def main() -> None:
    _, _, token = account()
    with tempfile.TemporaryDirectory() as scratch, Client(URL, token, "bench") as client:
        rows = Path(scratch) / "rows.csv"
        table(rows)
        from pyarrow import csv as arrow_csv
        from pyarrow import parquet

        began = time.perf_counter()
        parquet.write_table(arrow_csv.read_csv(rows), Path(scratch) / "rows.parquet")
        floor = time.perf_counter() - began
        took = upload(client, rows, "Bench rows")
        what = f"table of {ROWS:,} rows, {rows.stat().st_size / 1e6:.0f} MB"
        print(
            Row(part="ingestion", name=what, ours=ROWS / took, floor=ROWS / floor, unit="rows/s", floor_is="pyarrow CSV to Parquet").line(),
            flush=True,
        )

        archive = Path(scratch) / "images.zip"
        pictures(archive)
        from PIL import Image

        began = time.perf_counter()
        with zipfile.ZipFile(archive) as images:
            for member in images.infolist():
                data = images.read(member)
                hashlib.sha256(data).hexdigest()
                Image.open(io.BytesIO(data)).load()
        floor = time.perf_counter() - began
        took = upload(client, archive, "Bench images")
        what = f"zip of {IMAGES:,} images"
        print(
            Row(
                part="ingestion", name=what, ours=IMAGES / took, floor=IMAGES / floor, unit="images/s", floor_is="unzip, hash, decode"
            ).line(),
            flush=True,
        )
        order(client, Path(scratch))


if __name__ == "__main__":
    main()
