"""Ingestion: rows (and images) a second from an uploaded file to a frozen version.

The floor for rows is pyarrow reading the same CSV and writing Parquet; for images unpacking the zip, hashing and opening each.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import tempfile
import time
import zipfile
from pathlib import Path

from tests.bench.main import Row
from tests.bench.setup import URL, account
from workers.sdk.client import Client

ROWS = 200_000
IMAGES = 3_000


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


if __name__ == "__main__":
    main()
