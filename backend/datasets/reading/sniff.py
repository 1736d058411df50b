"""What a file is, by its bytes and not by its name."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path

NAMES = {
    "parquet": "a Parquet file",
    "xlsx": "an Excel workbook",
    "zip": "a zip archive",
    "tar": "a tar archive",
    "gzip": "gzip-compressed data",
    "xls": "an old Excel workbook (.xls)",
    "doc": "an old Office document (.doc, .ppt)",
    "locked": "an Office document with a password",
    "ods": "an OpenDocument spreadsheet (.ods)",
    "image": "an image",
    "pdf": "a PDF",
    "bzip2": "bzip2-compressed data",
    "xz": "xz-compressed data",
    "zstd": "zstd-compressed data",
    "7z": "a 7-Zip archive",
    "rar": "a RAR archive",
    "html": "an HTML page",
    "json": "a JSON document",
    "jsonl": "JSON Lines",
    "text": "text",
    "executable": "a program",
    "sqlite": "an SQLite database",
    "hdf5": "an HDF5 file",
    "npy": "a NumPy file",
    "arrow": "an Arrow (Feather) file",
    "pickle": "a Python pickle",
    "media": "audio or video",
    "binary": "binary data",
    "empty": "empty",
    "office": "an office document",
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"%PDF-", "pdf"),
    (b"\x7fELF", "executable"),
    (b"MZ\x90", "executable"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"ARROW1", "arrow"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"ID3", "media"),
    (b"OggS", "media"),
    (b"fLaC", "media"),
    (b"\x1aE\xdf\xa3", "media"),
)
ARCHIVES = frozenset({"zip", "tar", "gzip", "bzip2", "xz", "zstd", "7z", "rar"})


def of_head(head: bytes) -> str:
    """By the first bytes alone (at least 512 of them where there are as many): `zip` may be a workbook."""
    if not head:
        return "empty"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (magic != b"BM" or _bitmap(head)):
            return kind
    if head[:4] == b"RIFF":
        return "image" if head[8:12] == b"WEBP" else "media"
    if head[4:8] == b"ftyp" or is_mp3(head):
        return "media"
    if head[257:262] == b"ustar" or (len(head) >= 512 and _is_tar_header(head[:512])):
        return "tar"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "text"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 2:
        return "pickle"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    control = sum(1 for c in head[:4096] if c < 32 and c not in b"\t\n\r\f\x1b\x00")
    return "binary" if control > len(head[:4096]) * 0.05 else "text"


def of_file(path: Path) -> str:
    """What the file is. `text` is looked at more closely: `jsonl` (an object a line) and `json` (one document)."""
    with path.open("rb") as file:
        head = file.read(65_536)
    kind = of_head(head)
    if kind == "zip":
        return _zip_kind(path)
    if kind == "xls":
        return _ole_kind(path)
    if kind != "text":
        return kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"[":
        return "json" if start[1:].lstrip()[:1] in (b"{", b"[", b"]") else "text"
    if start[:1] == b"{":
        first = start.split(b"\n", 1)[0].rstrip()
        return "jsonl" if first.endswith(b"}") or len(first) == len(start.rstrip()) > 60_000 else "json"
    return "text"


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist()[:50])
            if "[Content_Types].xml" in names:
                return "xlsx" if any(n.startswith("xl/") for n in names) else "office"
            if "mimetype" in names and "content.xml" in names:
                with archive.open("mimetype") as said:
                    return "ods" if said.read(60).startswith(b"application/vnd.oasis.opendocument.spreadsheet") else "office"
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return "zip"
    return "zip"


def _ole_kind(path: Path) -> str:
    """Old Office formats, and new ones with a password, are the same container; the names of its streams tell them apart."""
    with path.open("rb") as file:
        data = file.read(8 * 1024**2)
        file.seek(max(0, path.stat().st_size - 1024**2))
        data += file.read()
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "locked"
    return "doc" if any(word.encode("utf-16-le") in data for word in ("WordDocument", "PowerPoint Document")) else "xls"


def is_mp3(head: bytes) -> bool:
    """Without a tag before it: the first frame of MPEG layer III (whose first bytes are also no mark of UTF-16)."""
    return len(head) > 3 and head[0] == 0xFF and head[1] in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2) and head[2] >> 4 not in (0, 15)


def _bitmap(head: bytes) -> bool:
    return len(head) > 18 and head[6:10] == b"\0\0\0\0" and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
