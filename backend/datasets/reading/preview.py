"""The first rows of a file under some options, from its first bytes: what a person looks at before the whole is read again."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

from backend.artifacts import tables
from backend.datasets.reading.archive import Archive
from backend.datasets.reading.fitting import typed
from backend.datasets.reading.members import tables_in, taken_out
from backend.datasets.reading.problems import Problems, ReadFailed
from backend.datasets.reading.tables import FILE_COLUMN, Part, some_rows
from backend.datasets.reading.upload import TABLES, uncovered

HEAD = 512 * 1024
"""Bytes of a text file that are looked at."""
WHOLE = 32 * 1024**2
"""Bytes of a workbook or Parquet file that can only be read as a whole, while somebody waits for it."""
READ, SHOWN = 1_000, 20


def preview(
    path: Path, filename: str, options: dict[str, Any], corrected: dict[str, dict[str, Any]], work: Path
) -> tuple[Any, list[dict[str, Any]], dict[str, Any]]:
    """(SHOWN typed rows as an Arrow table, their columns, how they are read); raises ReadFailed. `corrected`: types that a person chose."""
    problems = Problems(file=filename)
    part, names = _first(path, filename, options, work, problems)
    table, columns, reading, nulls = some_rows(part, options, READ)
    columns = [{**c, **{k: corrected[c["name"]][k] for k in ("type", "format")}} if c["name"] in corrected else c for c in columns]
    shown = typed(table[:SHOWN], columns, nulls)
    if names and options.get("file_column"):
        import pyarrow as pa

        shown = shown.append_column(FILE_COLUMN, pa.array([names[0]] * shown.num_rows, pa.string()))
        columns = [*columns, {"name": FILE_COLUMN, "type": "category", "nullable": False, "format": ""}]
    return shown, columns, reading | ({"members": names[:200]} if names else {})


def first_rows(*, path: str, filename: str, options: dict[str, Any], corrected: dict[str, dict[str, Any]], work: str) -> dict[str, Any]:
    """`preview` as a hand answers: `{rows, columns, reading, problems}`; `reading` is None where it cannot be read."""
    try:
        rows, columns, reading = preview(Path(path), filename, options, corrected, Path(work))
    except ReadFailed as exc:
        return {"reading": None, "columns": [], "rows": [], "problems": exc.problems}
    return {"reading": reading, "columns": columns, "rows": tables.json_rows(rows), "problems": []}


def _first(path: Path, filename: str, options: dict[str, Any], work: Path, problems: Problems) -> tuple[Part, list[str]]:
    """The first table of the file, cut short where its format allows, and the names of all that an archive has."""
    whole = path
    path, filename, kind = uncovered(path, filename, options, work, problems, most=WHOLE)
    cut = path != whole and path.stat().st_size >= WHOLE
    if kind in ("zip", "tar"):
        if cut:
            raise _too_large(problems)
        archive = Archive(path, kind, problems)
        try:
            members = tables_in(archive, options)
            if not members:
                raise problems.fail("There is no table in the archive.", "a table")
            [part] = taken_out(archive, members[:1], options, work, problems, lambda *_: None, most=WHOLE)
            cut = members[0].size > part.path.stat().st_size
        finally:
            archive.close()
        path, kind, problems = part.path, part.kind, part.problems
        names = [m.name for m in members]
    elif kind in TABLES:
        names = []
    else:
        raise problems.fail("This is no table.", "a table")
    if kind in ("csv", "jsonl"):
        return Part(path=_head(path, options, work), kind=kind, work=work, problems=problems), names
    if cut or (kind == "xlsx" and _unpacked_size(path) > 4 * WHOLE):
        raise _too_large(problems)
    return Part(path=path, kind=kind, work=work, problems=problems), names


def _too_large(problems: Problems) -> Exception:
    return problems.fail("This is too large for a preview.", "read it again with the options: a worker then reads the whole")


def _unpacked_size(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as book:
            return sum(m.file_size for m in book.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0  # damaged: the reader says so


def _head(path: Path, options: dict[str, Any], work: Path) -> Path:
    """The first lines of a text file, as a file; never half a line, nor the half of a value in quotes."""
    target = work / "head"
    if path.stat().st_size <= HEAD:
        shutil.copyfile(path, target)
        return target
    with path.open("rb") as file:
        data = file.read(HEAD)
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff") or str(options.get("encoding") or "").startswith("utf-16")
    quote = str(options.get("quote") or '"').encode()
    end = len(data)
    while (end := data.rfind(b"\n", 0, end)) > 0:
        if data.count(quote, 0, end) % 2 == 0:
            break
    if wide:
        end = _even(data, end)
    target.write_bytes(data[: end + 1] if end > 0 else data)
    return target


def _even(data: bytes, end: int) -> int:
    """The last byte of the line end that byte `end` belongs to, where every character takes two bytes."""
    little = data[:2] == b"\xff\xfe" or data[end + 1 : end + 2] == b"\0"
    return end + 1 if little and end % 2 == 0 else end
