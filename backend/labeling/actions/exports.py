"""Labels out: the files of a format, made while they are sent. Blindness holds here as everywhere (`queries.items.visible`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from backend.artifacts import aside
from backend.artifacts.storage import store
from backend.artifacts.zipped import zip_stream
from backend.core.errors import InvalidInput
from backend.core.models import User
from backend.labeling.errors import ExportWouldTell, NamesClash
from backend.labeling.models import LabelSchema
from backend.labeling.queries import exported
from backend.labeling.queries.exported import What
from backend.labeling.queries.items import wording
from backend.labeling.queries.masks import masked
from backend.labeling.queries.schemas import newest_version
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.formats import FORMATS
from workers.sdk.labels.travel import CannotWrite, Format, Item, Member, Writing, image_path

TRIED = 5_000
"""Items that are converted to see what a format loses: about a second, however large the schema."""


def formats(schema: LabelSchema) -> list[dict[str, Any]]:
    """Those that can speak of what the schema shows."""
    config = wording(newest_version(schema))
    pictures = schema.dataset.modality == "images"
    return [
        {
            "name": f.name, "title": f.title, "about": f.about, "suffix": f.suffix, "reads": list(f.reads),
            "images": pictures and "Image" in f.objects,
        }
        for f in FORMATS.values()
        if f.fits(config)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Asked:
    schema: LabelSchema
    user: User
    role: str
    form: Format
    what: What
    config: LabelConfig

    def items(self) -> Iterator[Item]:
        return exported.items(self.schema, self.user, self.role, self.what, self.config)


def find_format(schema: LabelSchema, name: str) -> tuple[Format, LabelConfig]:
    """The format, and the wording; raises InvalidInput, naming those that fit."""
    config = wording(newest_version(schema))
    found = FORMATS.get(name)
    if found is None or not found.fits(config):
        told = f"There is no format “{name[:40]}”." if found is None else f"{found.title} cannot hold what this schema asks."
        fitting = ", ".join(f.name for f in FORMATS.values() if f.fits(config))
        raise InvalidInput(message=told, field="format", hint=f"One of {fitting}")
    return found, config


def _asked(schema: LabelSchema, user: User, role: str, name: str, what: What) -> _Asked:
    if masked(schema, role):
        raise ExportWouldTell()
    form, config = find_format(schema, name)
    if form.folder and (clash := exported.same_stem(schema)):
        raise NamesClash(title=form.title, pair=clash, field="format", hint="Choose a format that is one file.")
    return _Asked(schema=schema, user=user, role=role, form=form, what=what, config=config)


def losses(schema: LabelSchema, user: User, role: str, *, name: str, what: What) -> dict[str, Any]:
    """What would go out, and, by sentence, what the format has no place for: the conversion itself, of the first TRIED items."""
    asked = _asked(schema, user, role, name, what)
    items, annotations = exported.counted(schema, user, role, what)
    writing = Writing(config=asked.config)
    tried = 0

    def some() -> Iterator[Item]:
        nonlocal tried
        for item in asked.items():
            if tried == TRIED:
                return
            tried += 1
            yield item

    try:
        for _, pieces in asked.form.write(some(), writing):
            if not asked.form.folder:  # of a folder the files are made when they are taken, and what is lost is known before
                for _ in pieces:
                    pass
    except CannotWrite as e:
        raise InvalidInput(message=str(e), field="format") from None
    lost = [{"message": sentence, "count": count} for sentence, count in writing.lost.most_common()]
    return {"items": items, "annotations": annotations, "tried": tried, "lost": lost}


def export(schema: LabelSchema, user: User, role: str, *, name: str, what: What, images: bool) -> tuple[str, str, Iterable[bytes]]:
    """(File name, media type, its bytes, made when they are taken; the first are made now). With `images`, a zip with the pictures."""
    asked = _asked(schema, user, role, name, what)
    if images and schema.dataset.modality != "images":
        raise InvalidInput(message="The items of this schema are no pictures.", field="images")
    writing = Writing(config=asked.config, images=images, paint=_paint)
    members = asked.form.write(asked.items(), writing)
    if images:
        members = chain(members, _pictures(asked))
    zipped = asked.form.folder or images
    try:
        pieces = iter(zip_stream(members) if zipped else _only(members))
        first = next(pieces, b"")
    except CannotWrite as e:
        raise InvalidInput(message=str(e), field="format") from None
    filename = f"{schema.slug}-{name}{'.zip' if zipped else asked.form.suffix}"
    return filename, "application/zip" if zipped else asked.form.media_type, _with(first, pieces)


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _only(members: Iterator[Member]) -> Iterator[bytes]:
    for _, pieces in members:
        yield from _gathered(pieces)


def _gathered(pieces: Iterable[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """Pieces of some size: a thread is asked for each."""
    held: list[bytes] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count >= size:
            yield b"".join(held)
            held, count = [], 0
    yield b"".join(held)


def _pictures(asked: _Asked) -> Iterator[Member]:
    for item in asked.items():
        yield image_path(item), store().pieces(item.digest)


def _paint(**shapes: Any) -> bytes:
    """In a hand: numpy and the pixels are not for the web process."""
    return b"".join(aside.ask("draw", "backend.labeling.painted:painted", **shapes).pieces())
