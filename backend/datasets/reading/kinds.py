"""Whether the content of a file is what its name promises."""

from __future__ import annotations

from typing import Any

from backend.datasets.reading import sniff
from backend.datasets.reading.items import TEXT_NAMES
from backend.datasets.reading.media import ALL_NAMES
from backend.datasets.reading.problems import Problems

ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".zip": "zip",
    ".tar": "tar",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".webp": "image",
    ".gif": "image",
    ".bmp": "image",
    ".tif": "image",
    ".tiff": "image",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "single-text",
    ".md": "single-text",
    **{ending: "pdf" if ending == ".pdf" else "media" for ending in ALL_NAMES},
}


def table_kind(kind: str, ending: str, options: dict[str, Any]) -> str:
    """What `sniff` found, made precise by the name: text is a table or one text, damaged JSON Lines stay JSON Lines."""
    if kind == "text":
        return "single-text" if ending in TEXT_NAMES and options.get("modality") != "table" else "csv"
    if kind == "json" and ending in (".jsonl", ".ndjson"):
        return "jsonl"  # damaged: the reader says in which line
    return kind


def honest(kind: str, ending: str, problems: Problems) -> None:
    """A name that promises another kind of content is a problem that says what the content is: the person chose the wrong file."""
    promised = ENDINGS.get(ending)
    if kind in ("locked", "xls", "ods", "doc"):
        return  # what to do about these is said to everyone
    if promised in (None, kind) or kind == "empty" or (promised, kind) == ("single-text", "csv"):
        return
    names = {**sniff.NAMES, "csv": "text", "single-text": "text"}
    if promised == "xlsx" and kind == "zip":
        raise problems.fail(
            "The content is a zip archive but no whole Excel workbook; it may be damaged or cut off.", "a workbook that Excel opens"
        )
    if promised in ("zip", "tar", "parquet", "xlsx", "image", "media", "pdf") and kind in ("binary", "csv", "single-text"):
        raise problems.fail(
            f"The name says {ending}, but the content is {names[kind]}; it may be damaged or cut off.",
            f"{sniff.NAMES[promised]}, or the right ending",
        )
    raise problems.fail(f"The name says {ending}, but the content is {names[kind]}.", "the right file, or the right ending")
