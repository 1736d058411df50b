"""Archives: their members, after every trick in them has been refused by name. Nothing is ever unpacked to a path of the archive's
choosing: members are read as streams."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from backend.datasets.reading import sniff
from backend.datasets.reading.limits import LIMITS
from backend.datasets.reading.problems import Problems
from workers.sdk.store import UnsafePath, safe_member

PIECE = 1024 * 1024
HIDDEN = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of an archive. `handle` is the archive's own record of it."""

    name: str
    size: int
    handle: Any


class Archive:
    """The files of a zip or an uncompressed tar, checked; hidden files of operating systems are left out."""

    def __init__(self, path: Path, kind: str, problems: Problems) -> None:
        self._problems = problems
        try:
            self._file: Any = zipfile.ZipFile(path) if kind == "zip" else tarfile.open(path, "r:")  # noqa: SIM115 - `close` closes it
            listed = list(self._zip() if kind == "zip" else self._tar())
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            OSError,
            NotImplementedError,
            UnicodeDecodeError,
            OverflowError,
            ValueError,
        ) as exc:
            raise problems.fail(f"The archive is damaged or cut off: {exc}.", "a whole archive; upload it again") from exc
        problems.raise_any()
        total = sum(m.size for m in listed)
        if total > LIMITS.unpacked_bytes:
            raise problems.fail(f"It unpacks to {total / 1024**3:,.0f} GiB.", f"at most {LIMITS.unpacked_bytes / 1024**3:,.0f} GiB")
        if total > LIMITS.ratio_from and total > LIMITS.ratio * path.stat().st_size:
            raise problems.fail(f"It unpacks to more than {LIMITS.ratio} times its size (a zip bomb).", "an archive of real files")
        names: dict[str, str] = {}
        for member in listed:
            if member.name in names:
                problems.add("This name appears twice in the archive.", "one file of each name", member=member.name)
            names[member.name] = member.name
        problems.raise_any()
        if not listed:
            raise problems.fail("There are no files in the archive.", "images, texts, sounds …, in one folder per class")
        self.members = listed

    def _zip(self) -> Iterator[Member]:
        infos = self._file.infolist()
        self._count(len(infos))
        for info in infos:
            name = info.filename
            if info.is_dir() or _hidden(name) or not self._safe(name):
                continue
            if info.flag_bits & 1:
                self._problems.add("This file is encrypted.", "an archive without a password", member=name)
            elif info.external_attr >> 16 and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                self._problems.add("This is a link or a special file.", "plain files only", member=name)
            elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
                self._problems.add(
                    "This file is packed in a way that cannot be read here.", "a zip packed with “deflate”, which is usual", member=name
                )
            else:
                yield Member(name=name, size=info.file_size, handle=info)

    def _tar(self) -> Iterator[Member]:
        count = 0
        for info in self._file:
            count += 1
            self._count(count)
            name = info.name.removeprefix("./")
            if info.isdir() or _hidden(name) or not name or not self._safe(name):
                continue
            if not info.isreg() or info.issparse():
                what = "link" if info.issym() or info.islnk() else "special file (a device, a pipe)"
                self._problems.add(f"This is a {what}.", "plain files only", member=name)
            else:
                yield Member(name=name, size=info.size, handle=info)
        # tarfile takes a cut-off archive for a whole one when the cut is between two files.
        self._file.fileobj.seek(self._file.offset)
        if self._file.fileobj.read(512) != bytes(512):
            raise self._problems.fail("The archive is cut off: its end mark is missing.", "a whole archive; upload it again")

    def _count(self, count: int) -> None:
        if count > LIMITS.members:
            raise self._problems.fail(f"There are more than {LIMITS.members:,} files.", "several uploads, appended to one data set")

    def _safe(self, name: str) -> bool:
        try:
            safe_member(name)
        except UnsafePath:
            self._problems.add("This path leads out of the archive.", "a relative path without ..", member=name)
            return False
        if len(name) > 900:
            self._problems.add(f"This path has {len(name)} characters.", "at most 900", member=name[:80])
            return False
        return True

    @contextmanager
    def open(self, member: Member) -> Iterator[IO[bytes]]:
        """The member as a stream; damage inside it is a problem naming it."""
        try:
            source = self._file.open(member.handle) if isinstance(self._file, zipfile.ZipFile) else self._file.extractfile(member.handle)
            with source:
                yield source
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError) as exc:
            raise DamagedMember(str(exc)) from exc

    def read(self, member: Member, most: int) -> bytes:
        """All bytes of a member; raises DamagedMember when they are not those that the archive promised, or more than `most`."""
        if member.size > most:
            raise DamagedMember(f"it has {member.size:,} bytes, at most {most:,} are read")
        with self.open(member) as source:
            data = source.read(most + 1)
        if len(data) != member.size:
            raise DamagedMember(f"it has {len(data):,} bytes instead of {member.size:,}")
        return data

    def copy(self, member: Member, path: Path, most: int) -> None:
        """As `read`, into a file."""
        if member.size > most:
            raise DamagedMember(f"it has {member.size:,} bytes, at most {most:,} are read")
        size = 0
        with self.open(member) as source, path.open("wb") as out:
            while (piece := source.read(PIECE)) and size <= member.size:
                size += len(piece)
                out.write(piece)
        if size != member.size:
            raise DamagedMember(f"it has {size:,} bytes instead of {member.size:,}")

    def close(self) -> None:
        self._file.close()


class DamagedMember(Exception):
    """A member's bytes cannot be had."""


def _hidden(name: str) -> bool:
    return any(part in HIDDEN or part.startswith(".") for part in PurePosixPath(name).parts if part not in (".", ".."))


def nested(head: bytes) -> str:
    """What kind of archive these first bytes begin, or ''."""
    kind = sniff.of_head(head)
    return sniff.NAMES[kind] if kind in sniff.ARCHIVES else ""
