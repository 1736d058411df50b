"""Writing a zip while it is sent, in the memory of one piece, however many members it has."""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

Members = Iterable[tuple[str, Iterable[bytes]]]

PACKED = frozenset({".txt", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".yaml", ".conll", ".md"})
"""Endings of members that are compressed; images, Parquet and ONNX hardly shrink."""
WAITING = 128 * 1024
FULL = 0xFFFFFFFF
"""Where a number of 32 bits says that the real one stands in the field of zip64."""
UNKNOWN, NAMES_IN_UTF8, JAN_1980 = 0x8, 0x800, 0x21
NEEDS = 45
"""The version of the format that knows zip64."""


def zip_stream(members: Members) -> Iterator[bytes]:
    """A zip made while it is sent, of any number and size of members. Its directory, which comes last, is kept in a file once it is large:
    `zipfile` holds half a kilobyte of memory for each member."""
    with tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024) as directory:
        at = count = 0
        waiting: list[bytes] = []
        size = 0
        for name, pieces in members:
            entry = _Entry(name, at)
            for piece in entry.written(pieces):
                at, size = at + len(piece), size + len(piece)
                waiting.append(piece)
                if size > WAITING:
                    yield b"".join(waiting)
                    waiting, size = [], 0
            directory.write(entry.listed())
            count += 1
        yield b"".join(waiting)
        listed = directory.tell()
        directory.seek(0)
        while piece := directory.read(WAITING):
            yield piece
        yield _end(count, listed, at)


class _Entry:
    """One member. Its sizes are known only when it has passed, so they follow it, in 64 bits."""

    def __init__(self, name: str, offset: int) -> None:
        self._name, self._offset = name.encode(), offset
        self._method = zipfile.ZIP_DEFLATED if PurePosixPath(name).suffix.lower() in PACKED else zipfile.ZIP_STORED
        self._crc = self._size = self._packed = 0

    def _common(self) -> bytes:
        return struct.pack("<HHHHH", NEEDS, UNKNOWN | NAMES_IN_UTF8, self._method, 0, JAN_1980)

    def written(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        extra = struct.pack("<HHQQ", 1, 16, 0, 0)
        yield b"PK\3\4" + self._common() + struct.pack("<LLLHH", 0, FULL, FULL, len(self._name), len(extra)) + self._name + extra
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15) if self._method else None
        for piece in pieces:
            self._crc, self._size = zlib.crc32(piece, self._crc), self._size + len(piece)
            if out := deflate.compress(piece) if deflate else piece:
                self._packed += len(out)
                yield out
        if deflate:
            out = deflate.flush()
            self._packed += len(out)
            yield out
        yield struct.pack("<4sLQQ", b"PK\7\x08", self._crc, self._packed, self._size)

    def listed(self) -> bytes:
        numbers = (self._size, self._packed, self._offset)
        large = [n for n in numbers if n >= FULL]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        size, packed, offset = (min(n, FULL) for n in numbers)
        head = b"PK\1\2" + struct.pack("<H", 3 << 8 | NEEDS) + self._common() + struct.pack("<LLL", self._crc, packed, size)
        rest = struct.pack("<HHHHHLL", len(self._name), len(extra), 0, 0, 0, 0o100644 << 16, offset)
        return head + rest + self._name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    large = b""
    if count >= 0xFFFF or size >= FULL or offset >= FULL:
        large = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 3 << 8 | NEEDS, NEEDS, 0, 0, count, count, size, offset)
        large += struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    few = min(count, 0xFFFF)
    return large + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, few, few, min(size, FULL), min(offset, FULL), 0)
