"""Images, texts, sounds, videos and PDFs: the members of an archive, or one file, as items whose bytes are in the store.

Class per folder (`cats/1.png`), split by folder (`train/cats/1.png`), or a manifest inside the archive that says both. Items are
written to a spool file, a JSON array a line in the order of FIELDS, so that a million of them need no memory.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from backend.datasets.reading import drawn, media, sniff
from backend.datasets.reading.archive import Archive, DamagedMember, Member, nested
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.pictures import Picture, look
from backend.datasets.reading.problems import Problems, Progress
from workers.sdk.store import Store

FIELDS = ("key", "digest", "media_type", "size", "width", "height", "label", "split", "data")
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
}
MANIFESTS = re.compile(r"(manifest|labels|metadata|annotations)\.(csv|tsv|jsonl)", re.IGNORECASE)
PATHS = ("path", "file_name", "filename", "file", "image", "image_path", "key", "name")
SPLIT_NAMES = ("split", "subset", "fold")
LABELS = ("label", "class", "target", "category", "y")
IMAGE_NAMES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
NEWLINE = b"\n"
TEXT_NAMES = frozenset({".txt", ".md", ".text", ".markdown"})
ABOUT = r"(readme|license|licence|copying|citation|notice|changelog|dataset_info)\b.*"
BESIDE = re.compile(ABOUT + r"|.*\.(pdf|html?|xml|ya?ml|ini|cfg|py|ipynb|bib|url)", re.IGNORECASE)
ENDINGS = {"images": IMAGE_NAMES, "text": TEXT_NAMES, **media.NAMES}
WORDS = {"images": "images", "text": "texts", "audio": "sounds", "video": "videos", "document": "PDFs"}
IN_MEMORY = 32 * 1024**2
"""Sounds and videos up to this size are looked at in memory, larger ones in a file."""


@dataclass(frozen=True, kw_only=True)
class ItemsRead:
    """What was read: `spool` holds `count` lines."""

    modality: str
    spool: Path
    count: int
    size: int
    skipped: int


def read_archive(archive: Archive, options: dict[str, Any], work: Path, store: Store, problems: Problems, progress: Progress) -> ItemsRead:
    """All images, texts, sounds, videos or PDFs of a zip or tar; raises ReadFailed with everything that is wrong."""
    modality = options.get("modality") or _modality(archive, problems)
    manifest = _manifest(archive, problems)
    return _read(archive, modality, manifest, work, store, problems, progress)


def read_single(path: Path, filename: str, modality: str, work: Path, store: Store, problems: Problems, progress: Progress) -> ItemsRead:
    """One image, text, sound … as a data set of one item (to append to another)."""
    most = most_bytes(modality)
    if path.stat().st_size > most:
        raise problems.fail(f"It has {path.stat().st_size:,} bytes.", f"at most {most:,}")
    progress(0.1, "reading")
    spool = work / "items.jsonl"
    with spool.open("w", encoding="utf-8") as out:
        if modality in media.NAMES:
            row = _medium(path, filename, None, None, modality, problems, store, member="")
        else:
            row = _item(path.read_bytes(), filename, None, None, modality, problems, store, member="")
        problems.raise_any()
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
    store.sync()
    return ItemsRead(modality=modality, spool=spool, count=1, size=path.stat().st_size, skipped=0)


def most_bytes(modality: str) -> int:
    return {"images": LIMITS.image_bytes, "text": LIMITS.text_bytes}.get(modality, LIMITS.media_bytes)


def _modality(archive: Archive, problems: Problems) -> str:
    endings = Counter(PurePosixPath(m.name).suffix.lower() for m in archive.members if not MANIFESTS.fullmatch(PurePosixPath(m.name).name))
    counts = {modality: sum(endings[e] for e in names) for modality, names in ENDINGS.items()}
    shown = max(("images", "audio", "video"), key=lambda modality: counts[modality])
    if counts[shown] or counts["text"]:
        return shown if counts[shown] * 10 >= counts["text"] else "text"  # texts beside pictures or sounds tell of them
    if counts["document"]:
        return "document"
    for member in archive.members[:50]:
        try:
            with archive.open(member) as source:
                kind = sniff.of_head(source.read(512))
        except DamagedMember:
            continue
        if kind == "image":
            return "images"
        if kind in sniff.ARCHIVES:
            raise problems.fail(
                f"This is {sniff.NAMES[kind]} inside an archive.", "the files themselves; unpack it first", member=member.name
            )
    found = ", ".join(f"{count} × {ending or 'no ending'}" for ending, count in endings.most_common(5))
    raise problems.fail(
        f"There is nothing in the archive that can be shown ({found}).",
        "images (png, jpeg, webp, gif, bmp, tiff), texts (.txt, .md), sounds (wav, mp3, ogg, opus, flac, m4a), videos (mp4, webm, mov),"
        " PDFs, or tables (.csv, .tsv, .jsonl, .parquet, .xlsx)",
    )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a manifest says: path below its folder → (label, split, line), and → the boxes on it, as an item keeps them."""

    name: str
    folder: str
    rows: dict[str, tuple[str | None, str | None, int]]
    boxes: dict[str, dict[str, Any]]


def _manifest(archive: Archive, problems: Problems) -> Manifest | None:
    found = [m for m in archive.members if MANIFESTS.fullmatch(PurePosixPath(m.name).name)]
    if not found:
        return None
    member = min(found, key=lambda m: (m.name.count("/"), m.name))
    try:
        data = archive.read(member, 1024**3)
        text = data.decode("utf-8-sig")
    except (DamagedMember, UnicodeDecodeError) as exc:
        raise problems.fail(f"The manifest cannot be read: {exc}.", "UTF-8 text", member=member.name) from exc
    rows: dict[str, tuple[str | None, str | None, int]] = {}
    boxes: dict[str, dict[str, Any]] = {}
    for line, row in _rows(member, text, problems):
        lower = {str(k).strip().lower(): k for k in row}
        path_in, label_in, split_in = (next((lower[n] for n in names if n in lower), None) for names in (PATHS, LABELS, SPLIT_NAMES))
        if path_in is None:
            raise problems.fail(
                f"No column gives the path (there are {', '.join(lower)}).", "a column path or file_name", line=line, member=member.name
            )
        path, label, split = row[path_in], row.get(label_in), row.get(split_in)
        if not isinstance(path, str) or not path.strip():
            problems.add("There is no path in this row.", "the path of a file in the archive", line=line, member=member.name)
            continue
        said = str(split).strip().lower() if split not in (None, "") else None
        if said is not None and said not in SPLITS:
            problems.add(f"There is no split “{said[:40]}”.", "train, validation or test", line=line, member=member.name)
        named = str(label).strip()[:200] if label is not None and str(label).strip() else None
        key = path.strip().removeprefix("./")
        if key in rows:
            problems.add(f"“{key[:80]}” was already in line {rows[key][2]}.", "one row for each file", line=line, member=member.name)
        rows[key] = (named, SPLITS.get(said or ""), line)
        complain = partial(problems.add, line=line, member=member.name)
        if member.name.lower().endswith(".jsonl") and (kept := drawn.kept(row.get(lower.get(drawn.NAME)), complain)) is not None:
            boxes[key] = kept
    folder = str(PurePosixPath(member.name).parent)
    base = "" if folder == "." else folder + "/"
    names = {m.name for m in archive.members}
    for key, (_, _, line) in rows.items():
        if base + key not in names:
            problems.add(
                f"There is no file “{key[:100]}” in the archive.",
                "the path of a file, counted from the manifest's folder",
                line=line,
                member=member.name,
            )
    problems.raise_any()
    return Manifest(name=member.name, folder=base, rows=rows, boxes=boxes)


def _rows(member: Member, text: str, problems: Problems) -> Iterator[tuple[int, dict[Any, Any]]]:
    if member.name.lower().endswith(".jsonl"):
        for line, raw in enumerate(text.splitlines(), start=1):
            if not raw.strip():
                continue
            try:
                row = json.loads(raw)
                if not isinstance(row, dict):
                    raise ValueError("not an object")
            except (ValueError, RecursionError) as exc:
                problems.add(f"This is not a JSON object: {exc}.", '{"path": "1.png", "label": "cat"}', line=line, member=member.name)
                continue
            yield line, row
        problems.raise_any()
        return
    delimiter = (
        "\t"
        if member.name.lower().endswith(".tsv")
        else ";"
        if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",")
        else ","
    )
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if None in row or None in row.values():
                problems.add(
                    "This row has not as many cells as the header.", "a cell for every column", line=reader.line_num, member=member.name
                )
                continue
            yield reader.line_num, row
    except csv.Error as exc:
        raise problems.fail(f"This is not CSV: {exc}.", "comma-separated text", line=reader.line_num, member=member.name) from exc


def _read(
    archive: Archive, modality: str, manifest: Manifest | None, work: Path, store: Store, problems: Problems, progress: Progress
) -> ItemsRead:
    endings = ENDINGS[modality]
    wanted = [m for m in archive.members if not (MANIFESTS.fullmatch(PurePosixPath(m.name).name) or _beside(m, endings))]
    if manifest:
        wanted = [m for m in archive.members if m.name.removeprefix(manifest.folder) in manifest.rows] or wanted
    shared = manifest.folder if manifest else _shared_folder([m.name for m in wanted], PurePosixPath(problems.file).name.split(".")[0])
    spool, count, size, skipped = work / "items.jsonl", 0, 0, len(archive.members) - len(wanted)
    with spool.open("w", encoding="utf-8") as out:
        for number, member in enumerate(wanted, start=1):
            key = member.name.removeprefix(shared)
            label, split = _by_folder(key)
            said = None
            if manifest:
                named = member.name.removeprefix(manifest.folder)
                (label, split, _), said = manifest.rows[named], manifest.boxes.get(named)
            try:
                row = _row(archive, member, key, label, split, modality, work, problems, store)
            except DamagedMember as exc:
                problems.add(f"This file cannot be read: {exc}.", "a whole file", member=member.name)
                continue
            if row is not None:
                if said is not None and modality == "images":
                    row[-1] = {**row[-1], "annotations": said}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                count, size = count + 1, size + member.size
            progress(0.85 * number / len(wanted), f"{number:,} of {len(wanted):,} files")
    problems.raise_any()
    if not count:
        raise problems.fail(f"There are no {WORDS[modality]} in the archive.", "at least one file")
    store.sync()
    return ItemsRead(modality=modality, spool=spool, count=count, size=size, skipped=skipped)


def _beside(member: Member, endings: frozenset[str]) -> bool:
    """Files that stand beside data and are left out without a word: readmes, licences, pages."""
    path = PurePosixPath(member.name)
    if path.suffix.lower() in endings:
        return bool(re.fullmatch(ABOUT, path.name, re.IGNORECASE))
    return bool(BESIDE.fullmatch(path.name)) or (
        endings is not TEXT_NAMES and path.suffix.lower() in (".txt", ".md", ".csv", ".json", ".tsv", ".jsonl")
    )


def _row(
    archive: Archive, member: Member, key: str, label: str | None, split: str | None, modality: str, work: Path, problems: Problems,
    store: Store,
) -> list[Any] | None:  # fmt: skip
    """The member's line of the spool; None with a problem added. A large sound or video goes from the archive to a file, not to memory."""
    if modality in media.NAMES and member.size > IN_MEMORY:
        path = work / "member"
        archive.copy(member, path, most_bytes(modality))
        return _medium(path, key, label, split, modality, problems, store, member=member.name)
    data = archive.read(member, most_bytes(modality))
    if (inside := nested(data[:512])) and modality != "text":
        problems.add(f"This is {inside} inside an archive.", "the files themselves; unpack it first", member=member.name)
        return None
    return _item(data, key, label, split, modality, problems, store, member=member.name)


def _shared_folder(names: list[str], stem: str) -> str:
    """The folders around all files, which browsers and zip programs add: one that all share, is no split, and either has
    folders (the classes) in it or is called like the archive."""
    shared = ""
    while names:
        rest = [name.removeprefix(shared).split("/") for name in names]
        first = rest[0][0]
        if any(len(parts) < 2 or parts[0] != first for parts in rest) or first.lower() in SPLITS:
            break
        if any(len(parts) < 3 for parts in rest) and first.lower() != stem.lower():
            break
        shared += first + "/"
    return shared


def _by_folder(key: str) -> tuple[str | None, str | None]:
    """(label, split): the first folder that is no split, and the split if one of the first two folders names it."""
    folders = PurePosixPath(key).parts[:-1]
    split = next((SPLITS[f.lower()] for f in folders[:2] if f.lower() in SPLITS), None)
    rest = [f for place, f in enumerate(folders) if not (place < 2 and f.lower() in SPLITS)]
    return (rest[0][:200] if rest else None), split


def _item(
    data: bytes, key: str, label: str | None, split: str | None, modality: str, problems: Problems, store: Store, *, member: str
) -> list[Any] | None:
    """The item's line of the spool, its bytes in the store; None with a problem added."""

    def complain(message: str, expected: str) -> None:
        problems.add(message, expected, member=member)

    if modality in media.NAMES:
        seen = media.look(io.BytesIO(data), len(data), key, modality, complain)
    else:
        seen = (_image if modality == "images" else _text)(data, key, complain)
    if seen is None:
        return None
    stored = store.put_bytes(data, seen.media_type, durable=False)
    return [key, stored.digest, seen.media_type, len(data), seen.width, seen.height, label, split, seen.data]


def _medium(
    path: Path, key: str, label: str | None, split: str | None, modality: str, problems: Problems, store: Store, *, member: str
) -> list[Any] | None:
    """As `_item`, of a sound, video or PDF that lies in a file, which is gone afterwards."""
    size = path.stat().st_size
    with path.open("rb") as file:
        seen = media.look(file, size, key, modality, lambda message, expected: problems.add(message, expected, member=member))
    if seen is None:
        return None
    stored = store.put_file(path, seen.media_type, consume=bool(member))
    return [key, stored.digest, seen.media_type, size, seen.width, seen.height, label, split, seen.data]


def _image(data: bytes, key: str, complain: Callable[[str, str], None]) -> Picture | None:
    kind = sniff.of_head(data[:4096])
    if kind != "image":
        ending = PurePosixPath(key).suffix or "no ending"
        complain(f"This is {sniff.NAMES[kind]}, though its name says {ending}.", "an image: png, jpeg, webp, gif, bmp or tiff")
        return None
    return look(data, complain)


def _text(data: bytes, key: str, complain: Callable[[str, str], None]) -> Picture | None:
    if b"\0" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        complain(f"This is {sniff.NAMES[sniff.of_head(data[:4096])] if data else 'empty'}, not text.", "a text file")
        return None
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as exc:
        complain(
            f"This is not UTF-8: the byte 0x{data[min(exc.start, len(data) - 1)]:02X} in line {data.count(NEWLINE, 0, exc.start) + 1}.",
            "UTF-8 text",
        )
        return None
    if not text.strip():
        complain("This text is empty.", "some text")
        return None
    return Picture(
        media_type="text/markdown" if key.lower().endswith((".md", ".markdown")) else "text/plain",
        width=None,
        height=None,
        data={"characters": len(text)},
    )
