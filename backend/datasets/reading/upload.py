"""The one way in: a file of unknown kind, by what its bytes say it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from backend.datasets.reading import sniff
from backend.datasets.reading.archive import ungzip
from backend.datasets.reading.items import TEXT_NAMES, ItemsRead, read_archive, read_single
from backend.datasets.reading.problems import Problems, Progress
from backend.datasets.reading.tables import TableRead, read_table
from workers.sdk.store import Store

ACCEPTED = "CSV, TSV, Parquet, JSON Lines, Excel (.xlsx), a zip or tar of images or texts, an image, or a text file"
HINTS = {
    "xls": "save it as .xlsx or CSV",
    "json": "JSON Lines: one object a line, without the brackets around",
    "pickle": "Parquet or CSV; pickles are programs and are never opened",
    "arrow": "Parquet",
    "html": "the file itself; this is probably a page that was saved instead of the download behind it",
    "office": "an Excel workbook (.xlsx) or CSV",
}


def read_upload(path: Path, filename: str, options: dict[str, Any], work: Path, store: Store, progress: Progress) -> TableRead | ItemsRead:
    """Read an uploaded file; raises ReadFailed."""
    problems = Problems(file=filename)
    kind = sniff.of_file(path)
    if kind == "gzip":
        progress(0.0, "unpacking")
        path = ungzip(path, work, problems)
        filename = PurePosixPath(filename).stem
        kind = sniff.of_file(path)
        if kind in sniff.ARCHIVES - {"tar"}:
            raise problems.fail(f"This is {sniff.NAMES[kind]} inside a compressed file.", "unpack it first")
    ending = PurePosixPath(filename).suffix.lower()
    if kind == "text":
        kind = "single-text" if ending in TEXT_NAMES and options.get("modality") != "table" else "csv"
    elif kind == "json" and ending in (".jsonl", ".ndjson"):
        kind = "jsonl"  # damaged: the reader says in which line
    _honest(kind, ending, problems)
    if kind in ("csv", "jsonl", "xlsx", "parquet"):
        return read_table(kind, path, options, work, store, problems, progress)
    if kind in ("zip", "tar"):
        return read_archive(path, kind, options, work, store, problems, progress)
    if kind == "image":
        return read_single(path, filename, "images", work, store, problems, progress)
    if kind == "single-text":
        return read_single(path, filename, "text", work, store, problems, progress)
    if kind == "empty":
        raise problems.fail("The file is empty.", ACCEPTED)
    raise problems.fail(f"This is {sniff.NAMES[kind]}, which cannot be read.", HINTS.get(kind, ACCEPTED))


ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".zip": "zip",
    ".tar": "tar",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".webp": "image",
    ".gif": "image",
    ".bmp": "image",
    ".tif": "image",
    ".tiff": "image",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "single-text",
    ".md": "single-text",
}


def _honest(kind: str, ending: str, problems: Problems) -> None:
    """A name that promises another kind of content is a problem that says what the content is: the person chose the wrong file."""
    promised = ENDINGS.get(ending)
    if promised in (None, kind) or kind == "empty" or (promised, kind) == ("single-text", "csv"):
        return
    names = {**sniff.NAMES, "csv": "text", "single-text": "text"}
    if promised == "xlsx" and kind == "zip":
        raise problems.fail(
            "The content is a zip archive but no whole Excel workbook; it may be damaged or cut off.", "a workbook that Excel opens"
        )
    if promised in ("zip", "tar", "parquet", "xlsx", "image") and kind in ("binary", "csv", "single-text"):
        raise problems.fail(
            f"The name says {ending}, but the content is {names[kind]}; it may be damaged or cut off.",
            f"{sniff.NAMES[promised]}, or the right ending",
        )
    raise problems.fail(f"The name says {ending}, but the content is {names[kind]}.", "the right file, or the right ending")
