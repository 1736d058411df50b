"""One way to read a text for a model that finds spans in it (names, dates, …), used by training, evaluation and serving alike.

A text is cut into tokens with their places: runs of letters with the marks on them, runs of digits, any other character alone; in scripts
that are written without spaces each character is one. Of a token are looked at: its word (NFKC, casefold), its shape (`Xx`, `dd`), its
first and last one to four characters, and what stands before it. Each falls into one of 2**20 hashed buckets (BLAKE2b, RFC 7693; Weinberger
and others, “Feature Hashing for Large Scale Multitask Learning”, 2009), of which a model knows those that its training part showed. No
word is kept: a model cannot be read back. Places count characters (code points), as Python does; those of results count UTF-16 units,
as browsers do: `units` and `characters` go from one to the other.

What the network says of tokens is turned into spans by `workers.sdk.tags`.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workers.sdk import tags
from workers.sdk.texts import SPACELESS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "headrace-spans/1"
"""What all that follows computes. Whoever changes any of it gives it a new name and keeps the old one for models that have it."""
FILE = "spans.safetensors"
MOST_CHARACTERS = 100_000
"""Of a text that are read: some thirty pages. What stands behind them is told to be unread."""
MOST_AT_ONCE = 500_000
"""Characters in one request."""
BUCKETS = 1 << 20
LONGEST_TOKEN = 64
"""Characters of a token that are looked at."""
AFFIXES = 4
SLOTS = 2 + 2 * AFFIXES + 1
"""Word, shape, beginnings, endings, what stands before: as many numbers a token."""
FIRST = 1 + SLOTS
"""0 is no token, 1 to SLOTS stand for what a model does not know, by slot; then come its buckets."""
WINDOW = 192
"""Tokens that are answered for in one piece; the piece also shows what lies within the network's reach on both sides."""
TOGETHER = 64
"""Pieces that the network is asked about at once."""
REMEMBERED = 50_000

Places = list[tuple[int, int]]
Ask = Callable[[Any], Any]
"""Numbers `[pieces, tokens, SLOTS]` (int64; 0 where there is no token) to chances `[pieces, tokens, tags]`."""


class Span(NamedTuple):
    """`text[start:end]` is a `label`."""

    start: int
    end: int
    label: str


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Marks, joiners and other characters without a width of their own belong to what stands before them."""
    codes = [c for block in (range(0xAD, 0x1F000), range(0xE0000, 0xE01F0)) for c in block if unicodedata.category(chr(c)) in _WITH]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    marks = "[" + "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges) + "]*"
    alone = SPACELESS.pattern
    return re.compile(rf"{alone}{marks}|(?:(?!{alone})[^\W\d_]{marks})+|(?:\d{marks})+|\S{marks}")


_WITH = ("Mn", "Mc", "Me", "Cf")


def tokens(text: str) -> Places:
    """(Start, end) of each token, in order: every character that is no white space is in exactly one."""
    return [found.span() for found in _pattern().finditer(text[:MOST_CHARACTERS])]


def features(text: str, places: Places) -> NDArray[np.int32]:
    """Buckets `[tokens, SLOTS]`."""
    import numpy as np

    made = np.empty((len(places), SLOTS), dtype=np.int32)
    before = 0
    for row, (start, end) in zip(made, places, strict=True):
        row[:-1] = _of_token(text[start : min(end, start + LONGEST_TOKEN)])
        row[-1] = _before(text[before:start], not before)
        before = end
    return made


@functools.lru_cache(maxsize=REMEMBERED)
def _of_token(token: str) -> tuple[int, ...]:
    word = unicodedata.normalize("NFKC", token).casefold()
    ends = [word[:n] if len(word) >= n else "" for n in range(1, AFFIXES + 1)]
    ends += [word[-n:] if len(word) >= n else "" for n in range(1, AFFIXES + 1)]
    return tuple(_bucket(slot, value) for slot, value in enumerate([word, _shape(token), *ends]))


def _before(gap: str, first: bool) -> int:
    """The start of the text, nothing, a space, the end of a line, or of a paragraph."""
    lines = gap.count("\n")
    return _bucket(SLOTS - 1, "^" if first else "n" * min(lines, 2) or " " * min(len(gap), 1))


@functools.lru_cache(maxsize=REMEMBERED)
def _kind(character: str) -> str:
    return (
        "d" if character.isdigit() else "X" if character.isupper() else "x" if character.islower()
        else "o" if character.isalpha() else character
    )  # fmt: skip


def _shape(token: str) -> str:
    """`Berlin` → `Xxx`, `2026` → `dddd`, `HTTP` → `XX`: letters at most twice in a row, so that length hardly matters."""
    return re.sub(r"([Xxo])\1{2,}", r"\1\1", "".join(map(_kind, token)))


@functools.lru_cache(maxsize=REMEMBERED)
def _bucket(slot: int, value: str) -> int:
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=4, salt=bytes([slot])).digest()
    return int.from_bytes(digest, "big") % BUCKETS


class Read(NamedTuple):
    """A text as a network is asked about it: its tokens, and their numbers `[tokens, SLOTS]`."""

    text: str
    places: Places
    numbers: NDArray[np.int32]


class Reader:
    """Texts to numbers, with the `buckets` (sorted) that training saw. Raises ValueError where these are none."""

    def __init__(self, buckets: NDArray[np.int32]) -> None:
        import numpy as np

        if buckets.ndim != 1 or not len(buckets) or buckets.min() < 0 or buckets.max() >= BUCKETS:
            raise ValueError(f"what a model knows of tokens are numbers from 0 to {BUCKETS - 1}")
        self.buckets = buckets
        self._place = np.zeros(BUCKETS, dtype=np.int32)
        self._place[buckets] = np.arange(FIRST, FIRST + len(buckets), dtype=np.int32)

    @property
    def rows(self) -> int:
        """Numbers that there are."""
        return FIRST + len(self.buckets)

    def __call__(self, text: str) -> Read:
        import numpy as np

        places = tokens(text)
        known = self._place[features(text, places)]
        return Read(text, places, np.where(known == 0, np.arange(1, FIRST, dtype=np.int32), known))


def pieces(count: int, reach: int) -> list[tuple[int, int, int, int]]:
    """Windows over `count` tokens: (first shown, past the last shown, first answered for, past the last answered for). The network looks
    no further than `reach` tokens, so what it says of a piece's own tokens is what it would say of the whole text."""
    return [
        (max(0, start - reach), min(count, start + WINDOW + reach), start, min(count, start + WINDOW)) for start in range(0, count, WINDOW)
    ]


def chances(ask: Ask, read: Sequence[Read], reach: int, width: int) -> list[NDArray[np.float32]]:
    """For each text what the network says of its tokens, `[tokens, width]`, asked in pieces of like length."""
    import numpy as np

    made: list[NDArray[np.float32]] = [np.zeros((len(one.places), width), dtype=np.float32) for one in read]
    asked = [(n, piece) for n, one in enumerate(read) for piece in pieces(len(one.places), reach)]
    asked.sort(key=lambda one: one[1][1] - one[1][0])
    for start in range(0, len(asked), TOGETHER):
        group = asked[start : start + TOGETHER]
        numbers = np.zeros((len(group), max(p[1] - p[0] for _, p in group), SLOTS), dtype=np.int64)
        for row, (n, (first, last, _, _)) in zip(numbers, group, strict=True):
            row[: last - first] = read[n].numbers[first:last]
        for answer, (n, (first, _, own, end)) in zip(ask(numbers), group, strict=True):
            made[n][own:end] = answer[own - first : end - first]
    return made


def answers(read: Sequence[Read], said: Sequence[NDArray[np.float32]], layers: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """For each text `{spans: [{start, end, label, score, text}], score}` in the order of the text, and `unread: true` where it is longer
    than what is read. A span's score is the chance that exactly this is a span of that label; a text's is that of its least sure place,
    be it a span or none."""
    found: list[list[dict[str, Any]]] = [[] for _ in read]
    sure = [1.0] * len(read)
    column = 0
    for labels in layers:
        width = tags.width(len(labels))
        for n, (spans, least) in enumerate(tags.decode([one[:, column : column + width] for one in said])):
            sure[n] = min(sure[n], least)
            for first, last, label, score in spans:
                start, end = read[n].places[first][0], read[n].places[last][1]
                found[n].append(
                    {"start": start, "end": end, "label": labels[label], "score": round(score, 6), "text": read[n].text[start:end]}
                )
        column += width
    return [
        {
            "spans": sorted(spans, key=lambda s: (s["start"], -s["end"], s["label"])), "score": round(least, 6),
            **({"unread": True} if len(one.text) > MOST_CHARACTERS else {}),
        }
        for spans, least, one in zip(found, sure, read, strict=True)
    ]  # fmt: skip


def answered(session: Any, manifest: Mapping[str, Any], reader: Reader, texts: Sequence[str]) -> list[dict[str, Any]]:
    """The answers of a model, by an ONNX Runtime session of its graph."""
    layers, output = manifest["output"]["layers"], manifest["output"]["output"]
    read = [reader(text) for text in texts]
    wide = sum(tags.width(len(labels)) for labels in layers)

    def ask(numbers: Any) -> Any:
        return session.run([output], {manifest["input"]["onnx_input"]: numbers})[0]

    return answers(read, chances(ask, read, manifest["input"]["reach"], wide), layers)


def column_of(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """The column that a model finds spans in; None of a model that finds none."""
    found: dict[str, Any] | None = next((c for c in manifest["input"].get("columns", ()) if "tokens" in c), None)
    return found


def keep(reader: Reader, folder: Path) -> None:
    """Put what a model knows of tokens into its folder."""
    from safetensors.numpy import save_file

    save_file({"buckets": reader.buckets.astype("<i4")}, folder / FILE)


def kept(manifest: Mapping[str, Any], folder: Path) -> Reader | None:
    """The reader of a model that finds spans; None of another. Raises ValueError where it cannot be used."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    column = column_of(manifest)
    if column is None:
        return None
    if column["tokens"] != FORMAT:
        raise ValueError(f"its texts are read as {column['tokens']!r}; this version of the studio reads {FORMAT}")
    try:
        return Reader(load_file(folder / FILE)["buckets"])
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(f"what the model knows of words cannot be read from {FILE} ({error})") from None


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A span without the white space at its ends, in characters; None where nothing else is in it."""
    inner = text[start:end]
    begin = start + len(inner) - len(inner.lstrip())
    return (begin, begin + len(inner.strip())) if inner.strip() else None


def _wide(text: str) -> list[int] | None:
    """Where the characters of a text begin in UTF-16, if that is anywhere else."""
    if text.isascii() or not any(ch > "\uffff" for ch in text):
        return None
    places = [0]
    for ch in text:
        places.append(places[-1] + (2 if ch > "\uffff" else 1))
    return places


def units(text: str) -> Callable[[int], int]:
    """From a place in characters to one in UTF-16 units."""
    places = _wide(text)
    return (lambda place: place) if places is None else places.__getitem__


def characters(text: str) -> Callable[[int], int | None]:
    """From a place in UTF-16 units to one in characters; None past the end and inside a character."""
    places = _wide(text)

    def found(unit: int) -> int | None:
        if places is None:
            return unit if 0 <= unit <= len(text) else None
        at = bisect_left(places, unit)
        return at if at < len(places) and places[at] == unit else None

    return found
