"""Files that are compressed as a whole (`.csv.gz`, `.jsonl.bz2`, `.tsv.zst`): their content as a plain file, within bounds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.problems import Problems

PIECE = 1024 * 1024


def _zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


OPENERS: dict[str, Callable[[Path], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open, "zstd": _zstd}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)


def unpacked(path: Path, kind: str, work: Path, problems: Problems, most: int = 0) -> Path:
    """The content of a file compressed as `kind`, as a file in `work`. With `most` only its first bytes: about so many."""
    target, packed, size = work / "unpacked", max(path.stat().st_size, 1), 0
    source: IO[bytes]
    try:
        with OPENERS[kind](path) as source, target.open("wb") as out:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > LIMITS.unpacked_bytes or (size > LIMITS.ratio_from and size > LIMITS.ratio * packed):
                    raise problems.fail(f"It unpacks to more than {LIMITS.ratio} times its size (a zip bomb).", "an archive of real files")
                out.write(piece)
                if most and size >= most:
                    break
    except DAMAGED as exc:
        if isinstance(exc, OSError) and exc.errno:
            raise  # the disk, not the file
        raise problems.fail(f"The compressed data are damaged or cut off: {exc}.", "a whole file; upload it again") from exc
    return target
