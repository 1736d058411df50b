"""Bike rentals by the hour: Capital Bikeshare in 2011, from the files inside the wheel `ISLP` (read, never imported)."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

from backend.datasets.samples.fetch import Sample

NEW_YEAR = datetime(2011, 1, 1)  # noqa: DTZ001 - the hours of the data are local times of one city
"""The data counts days from here; they become dates so that a split by time can be made."""


def build(archive: Path, target: Path) -> None:
    """The CSV with a `time` column in front, made of its day of the year and hour."""
    with (
        zipfile.ZipFile(archive) as wheel,
        wheel.open("ISLP/data/Bikeshare.csv") as raw,
        target.open("w", newline="", encoding="utf-8") as stream,
    ):
        rows = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8"))
        writer = csv.DictWriter(stream, ["time", *(rows.fieldnames or [])])
        writer.writeheader()
        for row in rows:
            moment = NEW_YEAR + timedelta(days=int(row["day"]) - 1, hours=int(row["hr"]))
            writer.writerow({"time": moment.isoformat(sep=" "), **row})


SAMPLE = Sample(
    slug="bikes",
    name="Bike rentals",
    description="8,645 hours of bike rentals in Washington in 2011 with the weather; the question is how many bikes are rented in an hour.",
    licence="Capital Bikeshare data licence; H. Fanaee-T (2013), Bike Sharing, UCI, CC BY 4.0; packaged under a BSD licence",
    source="PyPI package ISLP 0.6.0",
    client="pip",
    package="ISLP==0.6.0",
    algorithm="sha256",
    digest="ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b",
    filename="bikes.csv",
    build=build,
)
