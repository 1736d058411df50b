"""Archives that hold tables: which members they are, and those as files to read. What has items (images, texts, sounds …) is `items`'."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from backend.datasets.reading import sniff
from backend.datasets.reading.archive import Archive, DamagedMember, Member, nested
from backend.datasets.reading.items import BESIDE, IMAGE_NAMES, TEXT_NAMES
from backend.datasets.reading.kinds import honest, table_kind
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.media import NAMES
from backend.datasets.reading.problems import Problems, Progress
from backend.datasets.reading.tables import Part

TABLE_NAMES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq", ".xlsx", ".xlsm"})
PIECE = 1024 * 1024
SPARE = 256 * 1024**2


def tables_in(archive: Archive, options: dict[str, Any]) -> list[Member]:
    """The members that are tables, by their names; none when the archive is one of images, texts, sounds or videos."""
    said = options.get("modality")
    if said not in (None, "table"):
        return []
    real = [m for m in archive.members if not BESIDE.fullmatch(PurePosixPath(m.name).name)]
    found = [m for m in real if PurePosixPath(m.name).suffix.lower() in TABLE_NAMES]
    if said == "table":
        return found or real
    others = IMAGE_NAMES | TEXT_NAMES | NAMES["audio"] | NAMES["video"]  # a PDF may stand beside tables
    return [] if any(PurePosixPath(m.name).suffix.lower() in others for m in real) else found


def taken_out(
    archive: Archive, members: list[Member], options: dict[str, Any], work: Path, problems: Problems, progress: Progress, most: int = 0
) -> list[Part]:
    """These members as files in folders of their own. With `most` only the first bytes of each."""
    if len(members) > LIMITS.tables:
        raise problems.fail(
            f"There are {len(members):,} tables in the archive.", f"at most {LIMITS.tables:,}, or one table of all their rows"
        )
    total = sum(min(m.size, most or m.size) for m in members)
    if total + SPARE > (free := shutil.disk_usage(work).free):
        raise problems.fail(
            f"It unpacks to {total / 1024**3:,.1f} GiB; the studio's disk has {free / 1024**3:,.1f} GiB free.", "less, or more room"
        )
    parts, done = [], 0
    for number, member in enumerate(members, start=1):
        folder = work / f"member-{number}"
        folder.mkdir()
        own = Problems(file=f"{problems.file} › {member.name}", found=problems.found)
        path = folder / "content"
        _copy(archive, member, path, own, most)
        done += member.size
        progress(0.1 * done / max(total, 1), f"unpacking {number:,} of {len(members):,} tables")
        kind = sniff.of_file(path)
        if inside := _packed(path, kind):
            raise own.fail(f"This is {inside} inside an archive.", "the files themselves; unpack it first")
        ending = PurePosixPath(member.name).suffix.lower()
        kind = table_kind(kind, ending, {"modality": "table"})
        honest(kind, ending, own)
        if kind not in ("csv", "jsonl", "xlsx", "parquet"):
            raise own.fail(f"This is {sniff.NAMES.get(kind, kind)}, not a table.", "CSV, TSV, JSON Lines, Parquet or Excel (.xlsx)")
        parts.append(Part(path=path, kind=kind, work=folder, problems=own, member=member.name))
    return parts


def _packed(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return nested(file.read(512)) if kind != "xlsx" else ""


def _copy(archive: Archive, member: Member, path: Path, problems: Problems, most: int) -> None:
    """The archive's own promise of sizes was checked against its bounds; no member may give more than it promised."""
    size = 0
    try:
        with archive.open(member) as source, path.open("wb") as out:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > member.size:
                    raise DamagedMember(f"it has more than the {member.size:,} bytes promised")
                out.write(piece)
                if most and size >= most:
                    return
        if size != member.size:
            raise DamagedMember(f"it has {size:,} bytes instead of {member.size:,}")
    except DamagedMember as exc:
        raise problems.fail(f"This file cannot be read: {exc}.", "a whole file") from exc
