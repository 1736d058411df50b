"""One way to turn free text into numbers, used by training, evaluation and serving alike, so that what a model was trained on and
what it is asked in production cannot differ.

A text is normalised (NFKC, casefold), its words, pairs of neighbouring words and runs of 2 to 4 characters are counted in hashed
buckets (Weinberger and others, “Feature Hashing for Large Scale Multitask Learning”, 2009), weighted with 1 + ln(count) and what
training learned of their rarity, brought to unit length, and condensed to a few numbers by a matrix that training learned (latent
semantic analysis: Deerwester and others, 1990). Runs of characters serve scripts that write without spaces, endings and typing errors.
No word is kept: neither a model nor a recipe can be read back. Only numpy; ONNX has no operation that hashes strings.
"""

from __future__ import annotations

import base64
import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "headrace-text/1"
"""What all that follows computes. Whoever changes any of it gives it a new name and keeps the old one for models that have it."""
FILE = "texts.safetensors"
MOST_CHARACTERS = 10_000
"""Of a text that are read: topics show early, and a book would hold everything up."""
BUCKETS = 1 << 20
CHARACTERS = (2, 3, 4)
BLOCK = 400_000
"""Characters that are looked at together: some 100 MB of work space."""

SEVERAL_WORDS = 3
WITHOUT_SPACES = 6
"""Characters in scripts that are written without spaces, on average, from which values count as text."""
SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Kana and Chinese characters."""
LOOKED_AT = 2000

# A polynomial over code points modulo 2**64 (Karp and Rabin, 1987), so that all runs of a text cost one pass; then mixed by the last step
# of MurmurHash3 (Appleby, public domain), because its low bits alone are weak. Python's own hash() differs from process to process.
_BASE = 0x9E3779B97F4A7C15
_PAIR = 0xC2B2AE3D27D4EB4F
_WORDS, _PAIRS, _RUNS = 0x57, 0x5757, 0x43


def looks_free(values: Sequence[str]) -> bool:
    """Whether values are free text: many different ones, of several words. Empty ones do not count."""
    present = [str(value) for value in values if value]
    looked = present[:: max(1, len(present) // LOOKED_AT)]
    if len(set(looked)) <= len(looked) / 2:
        return False
    words = sum(len(value.split()) for value in looked) / len(looked)
    return words >= SEVERAL_WORDS or sum(len(SPACELESS.findall(value)) for value in looked) / len(looked) >= WITHOUT_SPACES


def normal(text: str) -> str:
    """As it is counted: NFKC, casefold, one space for any run of white space and controls, at most MOST_CHARACTERS."""
    text = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold()
    return " ".join(text.replace("\0", " ").split())[:MOST_CHARACTERS]


def counts(texts: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """For a block of texts at a time: the number of the text, the bucket, and how often it fell into it; sorted, each pair once."""
    import numpy as np

    start = 0
    while start < len(texts):
        block: list[str] = []
        size = 0
        while start + len(block) < len(texts) and (not block or size < BLOCK):
            block.append(normal(texts[start + len(block)]))
            size += len(block[-1]) + 2
        owner, bucket = _buckets(block)
        keys, times = np.unique(owner * BUCKETS + bucket, return_counts=True)
        yield keys // BUCKETS + start, keys % BUCKETS, times.astype(np.int64)
        start += len(block)


def _buckets(texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(text, bucket) of every word, pair of words and run of characters."""
    import numpy as np

    # A space on either side: it marks where words begin and end, and gives a single character runs of its own.
    joined = "".join(f" {text} " for text in texts)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
    owner = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    place = np.arange(len(points), dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    powers, inverses = _powers(MOST_CHARACTERS + 3)
    with np.errstate(over="ignore"):
        # Sums run over the whole block and wrap; only their differences inside one text are used.
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((points + np.uint64(1)) * powers[place])])

        def hashed(starts: Any, ends: Any) -> NDArray[np.uint64]:
            found: NDArray[np.uint64] = (sums[ends] - sums[starts]) * inverses[place[starts]]
            return found

        found: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []
        for size in CHARACTERS:
            starts = np.flatnonzero(owner[: len(owner) - size + 1] == owner[size - 1 :])
            found.append((owner[starts], hashed(starts, starts + size) ^ np.uint64(_RUNS * 256 + size)))
        inside = _in_words(points)
        edge = np.diff(inside.astype(np.int8), prepend=0, append=0)
        starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
        words = hashed(starts, ends)
        found.append((owner[starts], words ^ np.uint64(_WORDS)))
        together = owner[starts[:-1]] == owner[starts[1:]]
        pairs = (_mixed(words[:-1]) * np.uint64(_PAIR) + words[1:]) ^ np.uint64(_PAIRS)
        found.append((owner[starts[:-1]][together], pairs[together]))
        owners, hashes = (np.concatenate(side) for side in zip(*found, strict=True))
        return owners, (_mixed(hashes) >> np.uint64(44)).astype(np.int64)


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (fmix64)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    mixed: NDArray[np.uint64] = hashes ^ (hashes >> np.uint64(33))
    return mixed


@functools.cache
def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers of the base and of its inverse modulo 2**64."""
    import numpy as np

    inverse = pow(_BASE, -1, 1 << 64)
    with np.errstate(over="ignore"):
        base, back = (np.cumprod(np.append(np.uint64(1), np.full(count - 1, one, np.uint64))) for one in (_BASE, inverse))
    return base, back


@functools.cache
def _kinds() -> NDArray[np.int8]:
    """Of all code points: 2 belongs to words, 1 does not, 0 was not met yet."""
    import numpy as np

    return np.zeros(0x110000, dtype=np.int8)


def _in_words(points: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which code points belong to words: letters, digits and the marks on them (vowel signs are marks in many scripts)."""
    import numpy as np

    kinds = _kinds()
    for point in np.unique(points[kinds[points] == 0]).tolist():
        kinds[point] = 2 if unicodedata.category(chr(point))[0] in "LMN" or point == 0x5F else 1
    found: NDArray[np.bool_] = kinds[points] == 2
    return found


class Reader:
    """Texts to numbers, with what training learned: `buckets` that count (sorted), their `weights`, and the `matrix` that condenses them,
    `[buckets, dimensions]`. Raises ValueError where they do not belong together."""

    def __init__(self, buckets: NDArray[np.int32], weights: NDArray[np.float32], matrix: NDArray[np.float16]) -> None:
        import numpy as np

        if buckets.ndim != 1 or buckets.shape != weights.shape or matrix.ndim != 2 or len(matrix) != len(buckets) or not matrix.size:
            raise ValueError("what is learned of a text column does not belong together")
        if buckets.min() < 0 or buckets.max() >= BUCKETS:
            raise ValueError(f"a text's buckets are numbers from 0 to {BUCKETS - 1}")
        self.buckets, self.weights, self.matrix = buckets, weights, matrix
        self._exact = matrix.astype(np.float32)
        self._place = np.full(BUCKETS, -1, dtype=np.int32)
        self._place[buckets] = np.arange(len(buckets), dtype=np.int32)

    @property
    def dimensions(self) -> int:
        return int(self.matrix.shape[1])

    def weighed(self, texts: Sequence[str]) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
        """(Number of the text, places of its buckets, their weights at unit length), for texts of which anything is known."""
        import numpy as np

        for owners, buckets, times in counts(texts):
            places = self._place[buckets].astype(np.int64)
            known = places >= 0
            owners, places = owners[known], places[known]
            values = (1.0 + np.log(times[known])) * self.weights[places]
            numbers, starts = np.unique(owners, return_index=True)
            for number, start, end in zip(numbers.tolist(), starts, np.append(starts, len(owners))[1:], strict=True):
                part = values[start:end]
                yield number, places[start:end], part / np.sqrt(np.square(part).sum())

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`[texts, dimensions]`; zeros for an empty text. A text's numbers do not depend on its neighbours."""
        import numpy as np

        made = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, places, values in self.weighed(texts):
            made[number] = values.astype(np.float32) @ self._exact[places]
        return made

    def json(self) -> dict[str, Any]:
        """As plain JSON, for a recipe."""
        packed = {n: base64.b64encode(getattr(self, n).astype(kind).tobytes()).decode() for n, kind in _ARRAYS.items()}
        return {"text": FORMAT, "dimensions": self.dimensions, **packed}


_ARRAYS = {"buckets": "<i4", "weights": "<f4", "matrix": "<f2"}


def reader(learned: Mapping[str, Any]) -> Reader:
    """Of a recipe's column. Raises ValueError for what another version of the studio learned."""
    import numpy as np

    _known(learned["text"])
    arrays = {name: np.frombuffer(base64.b64decode(learned[name]), dtype=kind) for name, kind in _ARRAYS.items()}
    return Reader(arrays["buckets"], arrays["weights"], arrays["matrix"].reshape(len(arrays["buckets"]), -1))


def keep(readers: Mapping[str, Reader], manifest: Mapping[str, Any], folder: Path) -> None:
    """Put what was learned of a model's text columns into its folder."""
    from safetensors.numpy import save_file

    arrays = {
        f"{place}.{array}": getattr(readers[column["name"]], array).astype(kind)
        for place, column in enumerate(manifest["input"]["columns"])
        if "text" in column
        for array, kind in _ARRAYS.items()
    }
    save_file(arrays, folder / FILE)


def kept(manifest: Mapping[str, Any], folder: Path) -> dict[str, Reader]:
    """The readers of a model's text columns, by name; none for most models. Raises ValueError where they cannot be used."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    columns = {place: column for place, column in enumerate(manifest["input"].get("columns", [])) if "text" in column}
    if not columns:
        return {}
    for column in columns.values():
        _known(column["text"])
    try:
        arrays = load_file(folder / FILE)
        return {column["name"]: Reader(*(arrays[f"{place}.{array}"] for array in _ARRAYS)) for place, column in columns.items()}
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(f"what the model learned of its texts cannot be read from {FILE} ({error})") from None


def _known(format_: str) -> None:
    if format_ != FORMAT:
        raise ValueError(f"its texts are read as {format_!r}; this version of the studio reads {FORMAT}")
