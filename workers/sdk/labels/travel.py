"""Labels on their way out of and into a schema: the records that every format in `formats/` takes and gives.

A format writes items with what was said of them, one after the other, and holds none of them; it reads a file into what it says of
which item, without knowing the items there are. It decides nothing about who may see or keep what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from workers.sdk.labels.config import LabelConfig

Json = dict[str, Any]
Member = tuple[str, Iterable[bytes]]
"""A file of an export: its path with /, and its bytes, made when they are taken."""


class BadFile(Exception):
    """A file that cannot be read: where in it (member, line), what is wrong, what would be right."""

    def __init__(self, where: str, message: str, expected: str = "") -> None:
        self.where, self.message, self.expected = where, message, expected
        super().__init__(f"{where}: {message}")


class CannotWrite(Exception):
    """A schema that a format cannot hold at all; the message is a sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """An annotation. Moments are ISO 8601."""

    id: str
    result: list[Json]
    author: str = ""
    status: str = "submitted"
    truth: bool = False
    seconds: float = 0
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item as it goes out, with at least one annotation, oldest first. `shown` reads what its objects show of the data, {object: text}
    (of a list its entries)."""

    id: int
    key: str
    digest: str
    media_type: str
    width: int | None = None
    height: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    shown: Callable[[], Mapping[str, Any]] = dict
    said: tuple[Said, ...] = ()

    @property
    def is_row(self) -> bool:
        return self.media_type == "application/json"

    @property
    def stem(self) -> str:
        """The key without the ending of its file name."""
        folder, slash, name = self.key.rpartition("/")
        return folder + slash + (name.rsplit(".", 1)[0] if "." in name[1:] else name)


def image_path(item: Item) -> str:
    """Where an item's picture lies in an export that holds pictures."""
    return f"images/{item.key}"


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What an export is made with. `lost` counts, by sentence, what the format had no place for. `paint` makes a mask (`raster.png`)."""

    config: LabelConfig
    images: bool = False
    lost: Counter[str] = field(default_factory=Counter)
    paint: Callable[..., bytes] | None = None

    def one(self, item: Item, title: str) -> Said:
        """The annotation of a format that holds one of each item: the ground truth, else the newest."""
        if len(item.said) > 1:
            self.lost[f"{title} holds one annotation of an item: the ground truth, else the newest."] += len(item.said) - 1
        return next((s for s in item.said if s.truth), item.said[-1])


class Source(Protocol):
    """A file that is read: alone (one name) or an archive's members. Paths are safe and sizes bounded by whoever opens it."""

    names: list[str]

    def open(self, name: str) -> IO[bytes]: ...

    def read(self, name: str, most: int) -> bytes:
        """All bytes; raises BadFile when there are more than `most`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ref:
    """Which item is meant. `path` is a file's name as the file says it (`stem`: without its ending), `digest` of our own exports;
    `data` are variables of a row; `text` is its text without white space."""

    path: str = ""
    stem: bool = False
    digest: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def __str__(self) -> str:
        return (self.path or next((str(v) for v in self.data.values()), "") or self.text)[:120]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The item that was meant, as far as reading needs it."""

    width: int | None = None
    height: int | None = None
    shown: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a file says of an item. `result` gives it for the item that `ref` turned out to be; raises `results.Misfit`. `more`: how many
    other annotations of the item the file has, which are not taken."""

    where: str
    ref: Ref
    result: Callable[[Target], list[Json]]
    more: int = 0


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write labels to files. `suffix` and `media_type` are of the file itself; one with `folder` is always a zip of several.
    `objects` are the tags of what its labels speak of, `controls`, where they matter, those that it writes. `reads`: endings of files
    that it reads; none for one that only goes out."""

    name: str
    title: str
    about: str
    suffix: str
    media_type: str
    folder: bool
    objects: frozenset[str]
    reads: tuple[str, ...]
    write: Callable[[Iterable[Item], Writing], Iterator[Member]]
    read: Callable[[Source, LabelConfig], Iterator[Found]]
    controls: frozenset[str] = frozenset()

    def fits(self, config: LabelConfig) -> bool:
        """Whether the schema shows anything that this format's labels can speak of."""
        asked = not self.controls or any(c.tag in self.controls for c in config.controls)
        return asked and any(o.tag in self.objects for o in config.objects)


def only_file(source: Source, *suffixes: str) -> str:
    """The one file with the labels: alone, or the only one of its kind in an archive (of several, the one that is not in a folder)."""
    found = [n for n in source.names if n.lower().endswith(suffixes)]
    if len(source.names) == 1:
        return source.names[0]
    outer = [n for n in found if "/" not in n]
    for some in (found, outer):
        if len(some) == 1:
            return some[0]
    if not found:
        raise BadFile("the archive", f"There is no {' or '.join(suffixes)} file in it.", "the file with the labels")
    raise BadFile("the archive", f"There are {len(found):,} {' or '.join(suffixes)} files in it.", "one, not in a folder")
