"""The file of an import, opened: alone or a zip, with every bound on what it may ask of the machine (`datasets.reading.archive`)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from backend.datasets.reading.archive import Archive, DamagedMember
from backend.datasets.reading.problems import Problems
from workers.sdk.labels.travel import BadFile


class _Alone:
    def __init__(self, path: Path, filename: str) -> None:
        self._path, self.names = path, [filename]

    def open(self, name: str) -> IO[bytes]:
        return self._path.open("rb")

    def read(self, name: str, most: int) -> bytes:
        if self._path.stat().st_size > most:
            raise BadFile(name, f"It has {self._path.stat().st_size:,} bytes.", f"at most {most:,}")
        return self._path.read_bytes()


class _Zip:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._members = {m.name: m for m in archive.members}
        self.names = list(self._members)

    def open(self, name: str) -> Any:
        return _Told(self._archive.open(self._members[name]), name)

    def read(self, name: str, most: int) -> bytes:
        try:
            return self._archive.read(self._members[name], most)
        except DamagedMember as e:
            raise BadFile(name, f"This file cannot be read: {e}.", "a whole file") from None


class _Told:
    """A member whose damage is told by its name."""

    def __init__(self, opened: Any, name: str) -> None:
        self._opened, self._name = opened, name

    def __enter__(self) -> IO[bytes]:
        return self._opened.__enter__()  # type: ignore[no-any-return]  # the stream of zipfile

    def __exit__(self, *how: Any) -> None:
        try:
            self._opened.__exit__(*how)
        except DamagedMember as e:
            raise BadFile(self._name, f"This file cannot be read: {e}.", "a whole file") from None


@contextmanager
def opened(path: Path, filename: str) -> Iterator[Any]:
    """A `travel.Source`; raises `ReadFailed` for an archive that is a trick or damaged."""
    if not zipfile.is_zipfile(path):
        yield _Alone(path, filename)
        return
    archive = Archive(path, "zip", Problems(file=filename))
    try:
        yield _Zip(archive)
    finally:
        archive.close()
