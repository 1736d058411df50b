"""What a draft's file would be under other reading options."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from backend.artifacts import aside
from backend.datasets.errors import NotDraft, SourceGone, WrongModality
from backend.datasets.incoming import bytes_of
from backend.datasets.models import DatasetVersion


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
        found: dict[str, Any] = aside.ask(
            "read", "backend.datasets.reading.preview:first_rows", path=str(bytes_of(source)), filename=version.reading["filename"],
            options=kept | said, corrected=corrected, work=str(work),
        )  # fmt: skip
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if found["reading"] is not None:
        found["reading"] |= {"filename": version.reading["filename"], "options": options, "upload": source}
    return found
