"""One sound, video or PDF: what it is by its bytes, whether its name says the same, and whether it is whole."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO

from backend.datasets.reading import sniff
from backend.datasets.reading.containers import PARSERS, Broken, Header
from backend.datasets.reading.pictures import Picture

CONTAINERS = {
    "wav": "WAV", "flac": "FLAC", "ogg": "Ogg", "mp3": "MP3", "mp4": "MP4", "webm": "WebM", "pdf": "PDF",
}  # fmt: skip
ENDINGS = {
    "audio": {
        ".wav": "wav", ".wave": "wav", ".mp3": "mp3", ".ogg": "ogg", ".oga": "ogg", ".opus": "ogg", ".flac": "flac", ".m4a": "mp4",
        ".weba": "webm",
    },
    "video": {".mp4": "mp4", ".m4v": "mp4", ".mov": "mp4", ".webm": "webm"},
    "document": {".pdf": "pdf"},
}  # fmt: skip
"""Of each modality the endings of names, with the container that they promise."""
NAMES = {modality: frozenset(endings) for modality, endings in ENDINGS.items()}
ALL_NAMES = frozenset().union(*NAMES.values())
WANTED = {
    "audio": "wav, mp3, ogg, opus, flac or m4a",
    "video": "mp4, webm or mov with a codec that browsers play (H.264, AV1, VP9, VP8)",
    "document": "PDF",
}
WORDS = {"audio": "a sound", "video": "a video", "document": "a PDF"}


def container(head: bytes) -> str:
    """By the first bytes; '' for anything else."""
    if head[:4] == b"RIFF":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    return "mp3" if head[:3] == b"ID3" or sniff.is_mp3(head) else ""


def modality_of(file: IO[bytes], size: int) -> str | None:
    """`audio`, `video` or `document`, by the bytes; None where they cannot be read."""
    file.seek(0)
    kind = container(file.read(4096))
    try:
        header = PARSERS[kind](file, size) if kind else None
    except (Broken, struct.error, IndexError, ValueError):
        return None
    return None if header is None else "document" if kind == "pdf" else "video" if header.video else "audio"


def look(file: IO[bytes], size: int, key: str, modality: str, complain: Callable[[str, str], None]) -> Picture | None:
    """What the file is; None after a complaint."""
    if not size:
        complain("This file is empty.", WORDS[modality])
        return None
    file.seek(0)
    head = file.read(4096)
    kind = container(head)
    ending = PurePosixPath(key).suffix.lower()
    promised = next((named[ending] for named in ENDINGS.values() if ending in named), None)
    if not kind:
        what = sniff.NAMES[sniff.of_head(head)]
        said = f", though its name says {ending}; it may be damaged or cut off" if promised else ""
        complain(f"This is {what}{said}.", WANTED[modality])
        return None
    if promised not in (None, kind):
        complain(f"The name says {ending}, but the content is {CONTAINERS[kind]}.", "the right file, or the right ending")
        return None
    try:
        header = PARSERS[kind](file, size)
    except Broken as e:
        complain(e.message, e.expected)
        return None
    except (struct.error, IndexError, ValueError, RecursionError):
        complain(f"The {CONTAINERS[kind]} file is damaged: its header cannot be read.", "a whole file; export it again")
        return None
    found = "document" if kind == "pdf" else "video" if header.video else "audio"
    if found != modality:
        complain(f"This is {WORDS[found]}, not {WORDS[modality]}.", WANTED[modality])
        return None
    return Picture(media_type=header.media_type, width=header.width, height=header.height, data=_data(header))


def _data(header: Header) -> dict[str, object]:
    told = {
        "duration": header.duration and round(header.duration, 6), "channels": header.channels, "sample_rate": header.sample_rate,
        "frame_rate": header.frame_rate and round(header.frame_rate, 6), "codec": header.codec or None, "pages": header.pages,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}
