"""The one way in: a file of unknown kind, by what its bytes say it is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from backend.datasets.reading import sniff
from backend.datasets.reading.archive import Archive
from backend.datasets.reading.compressed import OPENERS, unpacked
from backend.datasets.reading.items import ItemsRead, read_archive, read_single
from backend.datasets.reading.kinds import honest, table_kind
from backend.datasets.reading.media import NAMES, modality_of
from backend.datasets.reading.members import tables_in, taken_out
from backend.datasets.reading.problems import Problems, Progress
from backend.datasets.reading.tables import Part, TableRead, read_table
from workers.sdk.store import Store

ACCEPTED = (
    "CSV, TSV, Parquet, JSON Lines or Excel (.xlsx), also compressed or in a zip or tar;"
    " a zip or tar of images, texts, sounds, videos or PDFs, or one of these alone"
)
HINTS = {
    "xls": "open it in Excel or LibreOffice, save it as “Excel Workbook (.xlsx)” or CSV, and upload that file",
    "ods": "open it in LibreOffice or Excel, save it as “Excel Workbook (.xlsx)” or CSV, and upload that file",
    "doc": "CSV or an Excel workbook (.xlsx)",
    "locked": "open it with its password, save it without one, and upload that file",
    "json": "JSON Lines: one object a line, without the brackets around",
    "pickle": "Parquet or CSV; pickles are programs and are never opened",
    "arrow": "Parquet",
    "html": "the file itself; this is probably a page that was saved instead of the download behind it",
    "office": "an Excel workbook (.xlsx) or CSV",
}
TABLES = ("csv", "jsonl", "xlsx", "parquet")


def read_upload(path: Path, filename: str, options: dict[str, Any], work: Path, store: Store, progress: Progress) -> TableRead | ItemsRead:
    """Read an uploaded file; raises ReadFailed."""
    problems = Problems(file=filename)
    progress(0.0, "unpacking")
    path, filename, kind = uncovered(path, filename, options, work, problems)
    if kind in TABLES:
        return read_table([Part(path=path, kind=kind, work=work, problems=problems)], options, work, store, problems, progress)
    if kind in ("zip", "tar"):
        progress(0.0, "looking into the archive")
        archive = Archive(path, kind, problems)
        try:
            if tables := tables_in(archive, options):
                parts = taken_out(archive, tables, options, work, problems, progress)
                return read_table(parts, options, work, store, problems, progress, skipped=len(archive.members) - len(tables))
            return read_archive(archive, options, work, store, problems, progress)
        finally:
            archive.close()
    modality = {"image": "images", "single-text": "text", "pdf": "document"}.get(kind) or _of_media(path, filename)
    return read_single(path, filename, modality, work, store, problems, progress)


def _of_media(path: Path, filename: str) -> str:
    with path.open("rb") as file:
        found = modality_of(file, path.stat().st_size)
    return found or ("video" if PurePosixPath(filename).suffix.lower() in NAMES["video"] else "audio")


def uncovered(path: Path, filename: str, options: dict[str, Any], work: Path, problems: Problems, most: int = 0) -> tuple[Path, str, str]:
    """(file, name, kind) without the compression around it; raises ReadFailed for what cannot be read at all. `most`: as `unpacked`'s."""
    kind = sniff.of_file(path)
    if kind in OPENERS:
        path = unpacked(path, kind, work, problems, most)
        filename = PurePosixPath(filename).stem
        kind = sniff.of_file(path)
        if kind in sniff.ARCHIVES - {"tar"}:
            raise problems.fail(f"This is {sniff.NAMES[kind]} inside a compressed file.", "unpack it first")
    ending = PurePosixPath(filename).suffix.lower()
    kind = table_kind(kind, ending, options)
    honest(kind, ending, problems)
    if kind == "empty":
        raise problems.fail("The file is empty.", ACCEPTED)
    if kind not in (*TABLES, "zip", "tar", "image", "media", "pdf", "single-text"):
        raise problems.fail(f"This is {sniff.NAMES[kind]}, which cannot be read.", HINTS.get(kind, ACCEPTED))
    return path, filename, kind
