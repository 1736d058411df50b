"""The artifact store: bytes named by their SHA-256, in a local folder or behind any fsspec URL.

Layout: `<url>/<aa>/<bb>/<digest>`. A blob is written under a temporary name, flushed to disk and renamed, so a name
that exists is whole; two writers of the same bytes meet in the same name and neither harms the other. A folder is
a blob too: the canonical JSON list of its files (`TREE`), whose digest names the folder.

It refuses: names that are not digests, paths in a folder that lead out of it, links, and anything but bytes. It knows
nothing of kinds, projects or who may read what.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from workers.sdk.gate import gate
from workers.sdk.remote import SCHEME, StudioBlobs
from workers.sdk.stored import (
    BINARY,
    TREE,
    BlobMissing,
    FileEntry,
    Stored,
    StoreError,
    UnsafePath,
    canonical,
    checked,
    media_type_of,
    safe_member,
)

PIECE = 256 * 1024  # a hundred downloads at once hold a hundred of these
FRESH = 3600.0
# An upload to these appears whole or not at all, so it goes straight to its final name (a rename there is a copy).
_WHOLE_UPLOADS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "headrace+http", "headrace+https"})

__all__ = [
    "BINARY",
    "FRESH",
    "PIECE",
    "TREE",
    "BlobMissing",
    "FileEntry",
    "Store",
    "StoreError",
    "Stored",
    "UnsafePath",
    "canonical",
    "media_type_of",
    "safe_member",
]


class Store:
    """Content-addressed bytes at `url` (a folder path or an fsspec URL). `cache` is where bytes of a remote store and
    folders are laid out as real files; a local store keeps it beside the blobs, so that folders are hard links.
    Safe to share between threads and processes."""

    def __init__(self, url: str | Path, *, cache: str | Path | None = None, options: dict[str, Any] | None = None) -> None:
        self.url = str(url)
        self._options = options or {}
        scheme, found, rest = self.url.partition("://")
        self.root: Path | None = None  # set when the store is a local folder
        self._fs: Any = None
        self._base = ""
        if not found:
            self.root = Path(self.url).expanduser().absolute()
        elif scheme in ("file", "local"):
            self.root = Path(rest).absolute()
        elif scheme in ("headrace+http", "headrace+https"):
            self._fs, self._base = StudioBlobs(self.url.removeprefix(SCHEME)), ""
        else:
            import fsspec  # only remote stores pay for it

            self._fs, self._base = fsspec.core.url_to_fs(self.url, **self._options)
            self._base = self._base.rstrip("/")
        self._whole = scheme in _WHOLE_UPLOADS
        self.cache = Path(cache).absolute() if cache else self.root / ".cache" if self.root else _remote_cache(self.url)
        self._made: set[Path] = set()

    @classmethod
    def from_environment(cls) -> Store:
        """The store of this machine: `ARTIFACT_URL` (laid out in `cache/artifacts`), or `artifacts`, in `HEADRACE_DATA_DIR`."""
        data = Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace"))
        url = os.environ.get("ARTIFACT_URL") or str(data / "artifacts")
        far = "://" in url and not url.startswith(("file:", "local:"))
        return cls(url, cache=data / "cache" / "artifacts" if far and "HEADRACE_DATA_DIR" in os.environ else None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.url, str(self.cache), self._options)

    # Writing

    def put_bytes(self, data: bytes, media_type: str = BINARY, *, durable: bool = True) -> Stored:
        """Keep `data`. With `durable=False` it is not flushed to disk now: call `sync` before anything counts on it (bulk imports)."""
        digest = hashlib.sha256(data).hexdigest()
        stored = Stored(digest=digest, size=len(data), media_type=media_type)
        if self.root is not None:
            path = self._path(digest)
            with contextlib.suppress(OSError):
                with gate(self.root):
                    os.utime(path)  # see `sweeping`: a blob that is put again is new
                if path.stat().st_size == len(data) and path.read_bytes() == data:  # heals what a power cut left
                    return stored
            with self._temporary() as temporary:
                with temporary.open("wb") as out:
                    out.write(data)
                    if durable:
                        _flush(out)
                self._settle(temporary, digest, durable=durable)
        elif not self._fresh(digest):
            with self._temporary() as temporary:
                temporary.write_bytes(data)
                self._upload(temporary, digest)
        return stored

    def put_file(self, path: str | Path, media_type: str | None = None, *, consume: bool = False) -> Stored:
        """Keep a file. With `consume=True` it may be moved into the store instead of copied, and is gone afterwards."""
        path = Path(path)
        media_type = media_type or media_type_of(path.name)
        if consume and self.root is not None and not path.is_symlink():
            digest, size = _hash_file(path)
            try:
                with path.open("rb+") as whole:
                    _flush(whole)
                self._settle(path, digest)
                return Stored(digest=digest, size=size, media_type=media_type)
            except OSError:
                if not path.exists():
                    raise  # it was moved; otherwise it lies on another disk: copy below
        with path.open("rb") as source:
            stored = self.put_stream(iter(lambda: source.read(PIECE), b""), media_type)
        if consume:
            path.unlink(missing_ok=True)
        return stored

    def put_stream(self, pieces: Iterable[bytes], media_type: str = BINARY) -> Stored:
        """Keep the bytes of an iterable without holding them in memory."""
        hasher, size = hashlib.sha256(), 0
        with self._temporary() as temporary:
            with temporary.open("wb") as out:
                for piece in pieces:
                    hasher.update(piece)
                    out.write(piece)
                    size += len(piece)
                _flush(out)
            digest = hasher.hexdigest()
            if self.root is not None:
                self._settle(temporary, digest)
            elif not self._fresh(digest):
                self._upload(temporary, digest)
        return Stored(digest=digest, size=size, media_type=media_type)

    def put_folder(self, path: str | Path) -> Stored:
        """Keep a folder with all its files; links and special files are refused."""
        top = Path(path)
        if not top.is_dir() or top.is_symlink():
            raise StoreError(f"{top.name} is not a folder")
        entries: list[FileEntry] = []
        for file in sorted(top.rglob("*")):
            if file.is_symlink() or not (file.is_file() or file.is_dir()):
                raise UnsafePath(f"“{file.relative_to(top).as_posix()}” is a link or a special file; only files and folders are kept")
            if file.is_file():
                one = self.put_file(file)
                entries.append({"path": file.relative_to(top).as_posix(), "digest": one.digest, "size": one.size})
        return self.put_tree(entries)

    def put_tree(self, files: Iterable[FileEntry]) -> Stored:
        """Keep a folder whose files are in the store already."""
        entries = list(files)
        stored = self.put_bytes(canonical(entries), TREE)
        return Stored(digest=stored.digest, size=sum(f["size"] for f in entries), media_type=TREE)

    def sync(self) -> None:
        """Everything put so far is on disk (after `put_bytes(…, durable=False)`)."""
        if self.root is not None and hasattr(os, "sync"):
            os.sync()

    # Reading

    def open(self, digest: str) -> BinaryIO:
        """The blob as a seekable file."""
        path = self._path(digest)
        try:
            if self.root is not None:
                return path.open("rb")
            return cast(BinaryIO, self._fs.open(self._remote(digest), "rb"))
        except FileNotFoundError:
            raise BlobMissing(f"{digest} is not in the store") from None

    def read(self, digest: str) -> bytes:
        """The whole blob."""
        with self.open(digest) as source:
            return source.read()

    def pieces(self, digest: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The blob (or a part of it) piece by piece."""
        with self.open(digest) as source:
            source.seek(start)
            left = length
            while left is None or left > 0:
                piece = source.read(PIECE if left is None else min(PIECE, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece

    def fetch(self, digest: str) -> Path:
        """The blob as a local file, to be read only: the stored file itself when the store is local, else a cached copy."""
        if self.root is not None:
            path = self._path(digest)
            if not path.is_file():
                raise BlobMissing(f"{digest} is not in the store")
            return path
        target = self.cache / digest[:2] / checked(digest)
        if target.is_file():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{uuid.uuid4().hex}")
        try:
            hasher = hashlib.sha256()
            with temporary.open("wb") as out:
                for piece in self.pieces(digest):
                    hasher.update(piece)
                    out.write(piece)
            if hasher.hexdigest() != digest:
                raise StoreError(f"{digest} came back from the store with other bytes than it was put with")
            temporary.chmod(0o444)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return target

    def fetch_folder(self, digest: str) -> Path:
        """The folder laid out as real files, to be read only (hard links where possible)."""
        target = self.cache / "folders" / checked(digest)
        if target.is_dir():
            return target
        files = self.files(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.with_name(f".{uuid.uuid4().hex}")
        try:
            building.mkdir()
            for file in files:
                place = building / safe_member(file["path"])
                place.parent.mkdir(parents=True, exist_ok=True)
                source = self.fetch(file["digest"])
                try:
                    os.link(source, place)
                except OSError:  # another disk, or a file system without links
                    shutil.copyfile(source, place)
            try:
                building.rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another process was faster with the same files
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return target

    def files(self, digest: str) -> list[FileEntry]:
        """The files of a folder."""
        try:
            listed = json.loads(self.read(digest))["files"]
            return [{"path": safe_member(f["path"]), "digest": checked(f["digest"]), "size": int(f["size"])} for f in listed]
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError):
            raise StoreError(f"{digest} is not a folder") from None

    def exists(self, digest: str) -> bool:
        path = self._path(digest)
        return path.is_file() if self.root is not None else bool(self._fs.exists(self._remote(digest)))

    def size(self, digest: str) -> int:
        """Bytes of the blob (of a folder: of its list of files)."""
        path = self._path(digest)
        try:
            return path.stat().st_size if self.root is not None else int(self._fs.size(self._remote(digest)))
        except FileNotFoundError:
            raise BlobMissing(f"{digest} is not in the store") from None

    def delete(self, digest: str) -> None:
        """Forget one blob; nothing happens if it is not there. The files of a folder stay: others may use them."""
        path = self._path(digest)
        if self.root is not None:
            path.unlink(missing_ok=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(self._remote(digest))
        (self.cache / digest[:2] / digest).unlink(missing_ok=True)
        shutil.rmtree(self.cache / "folders" / digest, ignore_errors=True)

    def sweep(self, older_than: float = 86_400) -> int:
        """Remove temporary files that a killed writer left; returns how many."""
        count, limit = 0, time.time() - older_than
        folder = self._workplace()
        for left in folder.iterdir() if folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                if left.stat().st_mtime < limit:
                    left.unlink()
                    count += 1
        return count

    def modified(self, digest: str) -> float:
        """When the blob was last put, in seconds since 1970."""
        path = self._path(digest)
        try:
            return path.stat().st_mtime if self.root is not None else float(self._fs.modified(self._remote(digest)).timestamp())
        except FileNotFoundError:
            raise BlobMissing(f"{digest} is not in the store") from None

    # Inside

    def _fresh(self, digest: str) -> bool:
        """Whether a remote blob is here and was put lately; an older one is put again (see `sweeping`)."""
        try:
            return self.modified(digest) > time.time() - FRESH
        except (BlobMissing, NotImplementedError, KeyError):
            return False

    def _path(self, digest: str) -> Path:
        digest = checked(digest)
        return (self.root or Path()).joinpath(digest[:2], digest[2:4], digest)

    def _remote(self, digest: str) -> str:
        return f"{self._base}/{digest[:2]}/{digest[2:4]}/{checked(digest)}"

    def _workplace(self) -> Path:
        return self.root / ".tmp" if self.root is not None else self.cache / ".tmp"

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        folder = self._workplace()
        self._folder(folder)
        path = folder / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _folder(self, folder: Path) -> None:
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _settle(self, temporary: Path, digest: str, *, durable: bool = True) -> None:
        """Give a finished local file its name. Replacing an existing blob puts the same bytes in its place."""
        final = self._path(digest)
        self._folder(final.parent)
        temporary.chmod(0o444)  # others hold hard links to it
        with gate(self.root or final.parent):
            os.utime(temporary)
            try:
                temporary.replace(final)
            except FileNotFoundError:  # the folder was removed by hand since we made it
                final.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(final)
        if durable:
            _flush_folder(final.parent)

    def _upload(self, temporary: Path, digest: str) -> None:
        final = self._remote(digest)
        self._fs.makedirs(final.rsplit("/", 1)[0], exist_ok=True)
        if self._whole:
            self._fs.put_file(str(temporary), final)
            return
        beside = f"{final}.{uuid.uuid4().hex}"
        try:
            self._fs.put_file(str(temporary), beside)
            self._fs.mv(beside, final)
        except Exception:
            with contextlib.suppress(Exception):
                self._fs.rm_file(beside)
            if not self.exists(digest):  # otherwise another writer of the same bytes was faster
                raise


def _rebuild(url: str, cache: str, options: dict[str, Any]) -> Store:
    return Store(url, cache=cache, options=options)


def _remote_cache(url: str) -> Path:
    return Path(tempfile.gettempdir()) / f"headrace-cache-{os.getuid()}" / hashlib.sha256(url.encode()).hexdigest()[:16]


def _hash_file(path: Path) -> tuple[str, int]:
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
        return digest, source.tell()


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    opener: Callable[..., int] = os.open
    with contextlib.suppress(OSError):  # some file systems do not flush folders
        handle = opener(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
