"""The built pages (frontend/dist): made again when what they are made from changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from infra.bootstrap.base import PYTHON, ROOT, call, digest, read
from infra.bootstrap.node import node_environment, npm_command
from infra.bootstrap.progress import progress

STAMP = ROOT / "frontend" / "dist" / ".headrace.json"
"""Inside the folder that a build empties first: an interrupted build leaves no stamp."""

ALREADY_SMALL = ("png", "jpg", "webp", "woff", "woff2", "gz", "br", "map")
"""Endings that are not compressed: it would not make them smaller, or nobody asks for them."""


def build() -> None:
    with progress("Pages"):
        made_from = content()
        npm = npm_command()
        call([*npm, "run", "--silent", "build"], "The pages could not be built", environment=node_environment())
        # Here and not when a studio collects its files: it takes 20 s, and every data directory would pay for it.
        compress = [str(PYTHON), "-m", "whitenoise.compress", "--quiet", str(STAMP.parent), *ALREADY_SMALL]
        call(compress, "The pages could not be compressed")
        STAMP.write_text(json.dumps({"content": made_from, "look": look()}))


def sources() -> Iterator[Path]:
    """Everything the built pages are made from."""
    for name in ("package.json", "package-lock.json"):
        yield ROOT / name
    for folder, folders, files in os.walk(ROOT / "frontend"):
        folders[:] = sorted(f for f in folders if f not in ("dist", "node_modules") and not f.startswith("."))
        for name in sorted(files):
            if not name.endswith((".tsbuildinfo", ".test.ts", ".test.tsx", ".md")) and not name.startswith("."):
                yield Path(folder) / name


def look() -> str:
    """Names, sizes and times: enough to see in a moment that nothing was touched."""
    seen = [(str(path.relative_to(ROOT)), found.st_size, found.st_mtime_ns) for path in sources() for found in [path.stat()]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def content() -> str:
    total = hashlib.sha256()
    for path in sources():
        total.update(f"{path.relative_to(ROOT)}\0{digest(path)}\n".encode())
    return total.hexdigest()


def current() -> bool:
    known = read(STAMP)
    if not known:
        return False
    if known.get("look") == look():
        return True
    if known.get("content") != content():
        return False
    with contextlib.suppress(OSError):  # touched but the same: remember the new times
        STAMP.write_text(json.dumps({**known, "look": look()}))
    return True
