"""A version as a file to take away, made in a hand while it is sent."""

from __future__ import annotations

from collections.abc import Iterable

from backend.artifacts import aside
from backend.core.errors import InvalidInput
from backend.datasets.models import DatasetVersion
from backend.datasets.queries.views import shown

FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "jsonl": "application/jsonl", "zip": "application/zip"}


def download(version: DatasetVersion, form: str) -> tuple[str, str, str | Iterable[bytes]]:
    """(file name, media type, the digest of a blob or bytes that are made now)."""
    allowed = [f for f in FORMATS if f != "zip" or version.dataset.modality != "table"]
    if form not in allowed:
        raise InvalidInput(message=f"There is no download as “{form[:40]}”.", field="format", hint="One of " + ", ".join(allowed))
    name = f"{version.dataset.slug}-{version.number}.{form}"
    if form == "zip":
        return name, FORMATS[form], aside.stream("backend.artifacts.zips:images", manifest=version.data)
    if form == "parquet" and not (version.raw and version.data == version.raw):
        return name, FORMATS[form], version.data
    return name, FORMATS[form], aside.stream("backend.datasets.showing.files:stream", shown=shown(version).as_json(), form=form)
