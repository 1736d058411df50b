"""Where the bytes of uploads lie: while they come in, while they are read, and of a table until its version is frozen, so that it can
be read again with other options. Web and platform worker share this folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings


def folder(upload_id: UUID) -> Path:
    """Where an upload's bytes and what is made of them lie until nobody can ask for them again."""
    path: Path = settings.DATA_DIR / "uploads" / str(upload_id)
    return path


def bytes_of(upload_id: UUID) -> Path:
    return folder(upload_id) / "bytes"


def discard(upload_id: UUID) -> None:
    """Delete the bytes of an upload that is over."""
    shutil.rmtree(folder(upload_id), ignore_errors=True)
