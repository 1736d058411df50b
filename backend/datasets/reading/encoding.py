"""Text files as UTF-8: which encoding a file has, and which lines do not fit it."""

from __future__ import annotations

import codecs
from pathlib import Path

from backend.datasets.reading.problems import Problems

PIECE = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252")


def as_utf8(path: Path, work: Path, problems: Problems, encoding: str = "") -> tuple[Path, str]:
    """The file itself when it is clean UTF-8, else a copy in `work` turned into it; and the encoding it has. Raises with the lines
    that fit no single encoding."""
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if marked or (encoding and encoding not in ("utf-8", "utf-8-sig")):
        return _recoded(path, work, problems, marked or encoding), marked or encoding
    if _clean(path, problems):
        return path, "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if encoding:
        _mixed(path, problems)
    found = _single_byte(path, problems)
    return _recoded(path, work, problems, found), found


def _clean(path: Path, problems: Problems) -> bool:
    """Whether it is valid UTF-8; NUL bytes raise."""
    decoder, line, valid = codecs.getincrementaldecoder("utf-8")(), 1, True
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            if (at := piece.find(b"\0")) >= 0:
                raise problems.fail(
                    "There is a NUL byte: this is not a text file, or it is damaged.",
                    "text; if it is UTF-16 without a byte-order mark, choose the encoding utf-16-le",
                    line=line + piece.count(b"\n", 0, at),
                )
            line += piece.count(b"\n")
            if valid:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    valid = False
        if valid:
            try:
                decoder.decode(b"", True)
            except UnicodeDecodeError:
                valid = False
    return valid


def _single_byte(path: Path, problems: Problems) -> str:
    """cp1252 or latin-1 for a file that is not UTF-8; a file that is UTF-8 in some lines only raises."""
    high, proper = set[int](), False
    with path.open("rb") as file:
        for raw in iter(lambda: file.readline(PIECE), b""):
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                proper = True
            except UnicodeDecodeError:
                high.update(c for c in raw if c > 127)
    if proper:
        _mixed(path, problems)
    return "latin-1" if high & {0x81, 0x8D, 0x8F, 0x90, 0x9D} or not high & set(range(0x80, 0xA0)) else "cp1252"


def _mixed(path: Path, problems: Problems) -> None:
    with path.open("rb") as file:
        for line, raw in enumerate(iter(lambda: file.readline(PIECE), b""), start=1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as exc:
                problems.add(
                    f"The byte 0x{raw[exc.start]:02X} at position {exc.start + 1} is not UTF-8, though other lines are (mixed encodings).",
                    "one encoding in the whole file; save it again as UTF-8",
                    line=line,
                )
    problems.raise_any()


def _recoded(path: Path, work: Path, problems: Problems, encoding: str) -> Path:
    target = work / "as-utf-8"
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise problems.fail(f"There is no encoding “{encoding[:40]}”.", "one of " + ", ".join(ENCODINGS)) from None
    line = 1
    with path.open("rb") as source, target.open("wb") as out:
        while True:
            piece = source.read(PIECE)
            try:
                text = decoder.decode(piece, not piece)
            except UnicodeError as exc:  # without a byte-order mark utf-16 raises a plain one
                reason = exc.reason if isinstance(exc, UnicodeDecodeError) else "it does not begin with a byte-order mark"
                raise problems.fail(
                    f"This is not {encoding}: {reason}.", "save the file as UTF-8, or choose its encoding", line=line
                ) from None
            if "\0" in text:
                raise problems.fail(
                    "There is a NUL character.", "text without NUL characters", line=line + text.count("\n", 0, text.index("\0"))
                )
            line += text.count("\n")
            out.write(text.encode("utf-8", "replace"))
            if not piece:
                return target
