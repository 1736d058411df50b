"""What a draft's file would be under other reading options."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from backend.artifacts import tables
from backend.datasets.errors import NotDraft, SourceGone, WrongModality
from backend.datasets.incoming import bytes_of
from backend.datasets.models import DatasetVersion
from backend.datasets.reading.preview import preview as read_first
from backend.datasets.reading.problems import ReadFailed


def preview(version: DatasetVersion, options: dict[str, Any]) -> dict[str, Any]:
    """As `PreviewOut`. An encoding that is not said is the one found in the whole file, which the first bytes may not show."""
    if version.dataset.modality != "table":
        raise WrongModality(dataset=version.dataset.slug, modality=version.dataset.modality, wanted="tables")
    if version.status != "draft":
        raise NotDraft(number=version.number, status=version.status)
    source = version.reading.get("upload")
    if not source or not bytes_of(source).exists():
        raise SourceGone(number=version.number)
    said = options if "encoding" in options else options | {"encoding": version.reading.get("encoding")}
    kept = {"modality": "table", "label_column": None}
    corrected = {c["name"]: c for c in version.columns if c["name"] in version.reading.get("corrected", [])}
    work = Path(tempfile.mkdtemp(prefix="preview-", dir=settings.DATA_DIR / "uploads"))
    try:
        rows, columns, reading = read_first(bytes_of(source), version.reading["filename"], kept | said, corrected, work)
    except ReadFailed as exc:
        return {"reading": None, "columns": [], "rows": [], "problems": exc.problems}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    told = {**reading, "filename": version.reading["filename"], "options": options, "upload": source}
    return {"reading": told, "columns": columns, "rows": tables.json_rows(rows), "problems": []}
