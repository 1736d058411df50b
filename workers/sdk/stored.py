"""What the artifact store keeps, and how it is named: digests, folders as lists of files, media types, and what it refuses."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypedDict

TREE = "application/vnd.headrace.tree+json"
BINARY = "application/octet-stream"
_DRIVE = re.compile(r"[A-Za-z]:")
DIGEST = re.compile(r"[0-9a-f]{64}")
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".onnx": "application/onnx",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".safetensors": BINARY,
}


class StoreError(Exception):
    """The store could not do what was asked."""


class BlobMissing(StoreError, FileNotFoundError):
    """No blob with this digest is in the store."""


class UnsafePath(StoreError, ValueError):
    """A path inside a folder leads out of it, or is none."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What was put: of a folder `size` counts its files' bytes and `digest` names its list of files."""

    digest: str
    size: int
    media_type: str = BINARY


class FileEntry(TypedDict):
    """One file of a folder."""

    path: str
    digest: str
    size: int


def safe_member(path: str) -> str:
    """`path` if it is relative, uses `/`, and stays inside its folder; raises UnsafePath otherwise."""
    parts = PurePosixPath(path).parts
    odd = not parts or "\\" in path or "\0" in path or _DRIVE.match(path)
    if odd or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise UnsafePath(f"“{path}” is not a path inside a folder (relative, with /, without ..)")
    return path


def media_type_of(name: str) -> str:
    """The media type that the file name suggests."""
    return _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name, strict=False)[0] or BINARY


def canonical(files: Iterable[FileEntry]) -> bytes:
    """The bytes whose SHA-256 names a folder: its files sorted by path, as JSON without spaces."""
    rows = sorted(({"path": safe_member(f["path"]), "digest": f["digest"], "size": f["size"]} for f in files), key=lambda f: str(f["path"]))
    return json.dumps({"files": rows}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def checked(digest: str) -> str:
    """`digest` if it is one; raises BlobMissing otherwise."""
    if not DIGEST.fullmatch(digest):
        raise BlobMissing(f"“{digest[:80]}” is not a digest (64 hexadecimal digits in lower case)")
    return digest
