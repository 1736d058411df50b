"""JSON of others, strictly and piece by piece: a list of a million things takes the memory of one, and what is wrong has a line.

What no database of ours keeps (NaN, endless numbers, NUL characters, half surrogate pairs) is refused.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import IO, Any, NoReturn

from workers.sdk.labels.travel import BadFile

PIECE = 256 * 1024
MOST_CHARACTERS = 32 * 1024 * 1024
"""Of one thing in a list."""
DEEPEST = 200


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _float(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text[:20]} is too large")
    return found


def _int(text: str) -> int:
    if len(text) > 30:
        raise ValueError("a number has more than 30 digits")
    return int(text)


DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float, parse_int=_int)


def loads(text: str, where: str) -> Any:
    """One document; raises BadFile with the line inside it, if it has several."""
    try:
        found = DECODER.decode(text)
    except json.JSONDecodeError as e:
        raise BadFile(where + (f", line {e.lineno}" if "\n" in text.strip() else ""), f"This is no JSON: {e.msg}.", "JSON") from None
    except ValueError as e:
        raise BadFile(where, f"This cannot be kept: {e}.", "ordinary numbers") from None
    except RecursionError:
        raise BadFile(where, "This is nested too deeply.", f"at most {DEEPEST} deep") from None
    return found


def unkeepable(value: Any, depth: int = 0) -> str:
    """Why the database could not keep this, or ''."""
    if depth > DEEPEST:
        return "This is nested too deeply."
    if isinstance(value, str):
        if "\0" in value:
            return "Text may not contain the character NUL."
        try:
            value.encode()
        except UnicodeEncodeError:
            return "Text contains half of a surrogate pair."
    elif isinstance(value, dict):
        return next((why for k, v in value.items() if (why := unkeepable(k, depth + 1) or unkeepable(v, depth + 1))), "")
    elif isinstance(value, list):
        return next((why for v in value if (why := unkeepable(v, depth + 1))), "")
    return ""


def elements(file: IO[bytes], where: str) -> Iterator[tuple[str, Any, int]]:
    """(Key, value, its first line) of a document: of a list its things (key ''), of an object the things of its lists, each under its
    key, and what else it holds."""
    reader = _Reader(file, where)
    opening = reader.peek()
    if opening == "[":
        yield from (("", value, line) for value, line in reader.list())
    elif opening == "{":
        yield from reader.object()
    else:
        raise reader.wrong("This is neither a list nor an object of JSON.", "[ … ] or { … }")
    if reader.peek():
        raise reader.wrong("Something follows after the end.", "one document")


class _Reader:
    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file, self._where = file, where
        self._text, self._at, self._line, self._over = "", 0, 1, False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()

    def wrong(self, message: str, expected: str = "", line: int | None = None) -> BadFile:
        return BadFile(f"{self._where}, line {line or self._line}", message, expected)

    def _more(self) -> bool:
        """Take in another piece; False at the end."""
        if self._over:
            return False
        data = self._file.read(max(PIECE, len(self._text) - self._at))
        self._over = not data
        try:
            text = self._decode.decode(data, final=self._over)
        except UnicodeDecodeError:
            raise self.wrong("This is not UTF-8.", "a text file in UTF-8") from None
        self._text, self._at = self._text[self._at :] + text, 0
        return True

    def _to(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def peek(self) -> str:
        """The next character that is no white space, or '' at the end."""
        while True:
            at = self._at
            while at < len(self._text) and self._text[at] in " \t\r\n":
                at += 1
            self._to(at)
            if at < len(self._text):
                return self._text[at]
            if not self._more():
                return ""

    def take(self, *wanted: str) -> str:
        found = self.peek()
        if found not in wanted or not found:
            told = f"Here is {found}" if found else "The file ends here"
            raise self.wrong(f"{told}, where {' or '.join(wanted)} should be.", "well-formed JSON")
        self._at += 1
        return found

    def value(self) -> Any:
        while True:
            self.peek()
            try:
                found, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as e:
                cut = e.msg.startswith("Unterminated string") or e.pos >= len(self._text) - 16
                if cut and len(self._text) - self._at <= MOST_CHARACTERS and self._more():
                    continue
                line = self._line + self._text.count("\n", self._at, e.pos)
                if cut and not self._over:
                    raise self.wrong(f"One thing has more than {MOST_CHARACTERS:,} characters.", "smaller ones") from None
                raise self.wrong(f"This is no JSON: {e.msg}.", "well-formed JSON", line) from None
            except ValueError as e:
                raise self.wrong(f"This cannot be kept: {e}.", "ordinary numbers") from None
            except RecursionError:
                raise self.wrong("This is nested too deeply.", f"at most {DEEPEST} deep") from None
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._to(end)
            return found

    def list(self) -> Iterator[tuple[Any, int]]:
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            self.peek()
            line = self._line
            yield self.value(), line
            if self.take(",", "]") == "]":
                return

    def object(self) -> Iterator[tuple[str, Any, int]]:
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise self.wrong("A key is missing.", '"…": …')
            key = self.value()
            self.take(":")
            if self.peek() == "[":
                yield from ((key, value, line) for value, line in self.list())
            else:
                line = self._line
                yield key, self.value(), line
            if self.take(",", "}") == "}":
                return
