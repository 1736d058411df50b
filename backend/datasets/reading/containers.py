"""What the header of a sound, a video or a PDF says: how long it is, how large, how it is coded; and whether the file is whole.

Only headers are read, with the standard library: nothing is decoded, so a file of gigabytes costs a few seeks. What a header does not
say is unknown (None), never guessed. Every parser raises Broken with what is wrong and what would be right.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

MOST_BOXES = 100_000
"""Boxes, pages and elements of one file that are walked: a damaged length must not keep a worker busy."""
VIDEO_CODECS = frozenset({"avc1", "avc3", "hvc1", "hev1", "av01", "vp08", "vp09"})
AUDIO_CODECS = frozenset({"mp4a", "Opus", "fLaC", "alac", "ac-3", "ec-3", ".mp3"})
PICTURES = frozenset({"jpeg", "png ", "mjpa", "mjpb"})
"""Cover art of a sound."""
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Broken(Exception):
    """The file cannot be used: `message` says why, `expected` what would be right."""

    def __init__(self, message: str, expected: str) -> None:
        self.message, self.expected = message, expected
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Header:
    """`duration` in seconds; `codec` by its usual name; `video` whether there are moving pictures."""

    media_type: str
    video: bool = False
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    sample_rate: int | None = None
    frame_rate: float | None = None
    codec: str = ""
    pages: int | None = None


def _cut(what: str) -> Broken:
    return Broken(f"The file is cut off: {what}.", "the whole file; export or copy it again")


def _at(file: IO[bytes], place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def wav(file: IO[bytes], size: int) -> Header:
    """RIFF WAVE."""
    if _at(file, 8, 4) != b"WAVE":
        raise Broken("This is a RIFF file, but no WAVE sound.", "wav, mp3, ogg, opus, flac, m4a; or video as mp4 or webm")
    place, form = 12, b""
    for _ in range(MOST_BOXES):
        head = _at(file, place, 8)
        if len(head) < 8:
            raise _cut("it has no sound (“data”)")
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"fmt ":
            form = file.read(min(length, 40))
        elif name == b"data":
            break
        place += 8 + length + length % 2
    if len(form) < 16:
        raise Broken("The header of the WAV file says nothing of its sound.", "a whole WAV file")
    code, channels, rate, _, block, _ = struct.unpack("<HHIIHH", form[:16])
    if not channels or not rate or not block:
        raise Broken("The header of the WAV file is damaged.", "a whole WAV file")
    here = size - place - 8
    if length not in (0, 0xFFFFFFFF) and length > here:  # those two: written by a program that did not know its end
        raise _cut(f"{length:,} bytes of sound are promised, {max(here, 0):,} are there")
    if here < block:
        raise Broken("There is no sound in this file.", "a sound of some length")
    length = here if length in (0, 0xFFFFFFFF) else length
    coded = {1: "PCM", 3: "float", 6: "A-law", 7: "µ-law", 0xFFFE: "PCM"}.get(code, f"code {code}")
    return Header(media_type="audio/wav", duration=length / block / rate, channels=channels, sample_rate=rate, codec=coded)


def flac(file: IO[bytes], size: int) -> Header:
    head = _at(file, 4, 38)
    if len(head) < 38 or head[0] & 0x7F:
        raise Broken("The header of the FLAC file is damaged.", "a whole FLAC file")
    packed = int.from_bytes(head[14:22], "big")
    rate, channels, samples = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    if not rate:
        raise Broken("The header of the FLAC file is damaged.", "a whole FLAC file")
    if size < 60:
        raise _cut("there is no sound after its header")
    return Header(media_type="audio/flac", duration=samples / rate or None, channels=channels, sample_rate=rate, codec="FLAC")


def ogg(file: IO[bytes], size: int) -> Header:
    """The first page says what it holds, the last how long it is."""
    first = _at(file, 0, 600)
    body = first[27 + first[26] :] if len(first) > 27 else b""
    tail_at = max(0, size - 70_000)
    tail = _at(file, tail_at, 70_000)
    place = last = -1
    while (place := tail.find(b"OggS\0", place + 1)) >= 0:
        last = place
    if last < 0 or len(tail) < last + 27 or len(tail) < last + 27 + tail[last + 26]:
        raise _cut("its last page is not whole")
    page = tail[last:]
    if len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        raise _cut("its last page is not whole")
    granule = int.from_bytes(page[6:14], "little", signed=True)
    if body.startswith(b"OpusHead") and len(body) >= 19:
        skipped = int.from_bytes(body[10:12], "little")
        seconds = (granule - skipped) / 48_000
        return Header(media_type="audio/ogg", duration=max(seconds, 0) or None, channels=body[9], sample_rate=48_000, codec="Opus")
    if body.startswith(b"\x01vorbis") and len(body) >= 16:
        rate = int.from_bytes(body[12:16], "little")
        if not rate:
            raise Broken("The header of the Ogg file is damaged.", "a whole Ogg file")
        return Header(
            media_type="audio/ogg", duration=granule / rate if granule > 0 else None, channels=body[11], sample_rate=rate, codec="Vorbis"
        )
    if body.startswith(b"\x7fFLAC"):
        return Header(media_type="audio/ogg", codec="FLAC")
    what = "Theora video" if body.startswith(b"\x80theora") else "something else"
    raise Broken(f"This Ogg file holds {what}, which browsers do not play.", "Opus or Vorbis; or video as mp4 or webm")


def mp3(file: IO[bytes], size: int) -> Header:
    """Frame after frame: their number is the length, whatever tags say."""
    head = _at(file, 0, 10)
    place = 0
    if head[:3] == b"ID3":
        place = 10 + sum((head[6 + n] & 0x7F) << 7 * (3 - n) for n in range(4)) + (10 if head[5] & 0x10 else 0)
    found = next(((at, frame) for at in range(place, min(place + 4096, size)) if (frame := _frame(_at(file, at, 4)))), None)
    if found is None:
        raise Broken("There is no sound in this MP3 file.", "a whole MP3 file")
    place, (_, _, rate, channels) = found
    data, seconds, frames = b"", 0.0, 0
    base = place
    while place < size:
        if place - base + 4 > len(data):
            base, data = place, _at(file, place, 1 << 20)
        one = _frame(data[place - base : place - base + 4])
        if one is None:
            break
        length, samples, own, _ = one
        if place + length > size:
            if frames < 2:
                raise _cut("its first frame is not whole")
            break
        seconds, frames, place = seconds + samples / own, frames + 1, place + length
    return Header(media_type="audio/mpeg", duration=seconds or None, channels=channels, sample_rate=rate, codec="MP3")


def _frame(head: bytes) -> tuple[int, int, int, int] | None:
    """(bytes, samples, samples a second, channels) of the frame that these four bytes begin."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != 1:
        return None
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    hertz, samples = _MP3_RATES[version][rate], 1152 if version == 3 else 576
    length = samples // 8 * _MP3_KBITS[3 if version == 3 else 2][kbits] * 1000 // hertz + (head[2] >> 1 & 1)
    return length, samples, hertz, 1 if head[3] >> 6 == 3 else 2


def _boxes(file: IO[bytes], place: int, end: int) -> Iterator[tuple[str, int, int]]:
    """(name, begin of the content, end) of the MP4 boxes in a part of the file."""
    for _ in range(MOST_BOXES):
        if place + 8 > end:
            return
        head = _at(file, place, 16)
        length, inner = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, inner = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = end - place
        name = head[4:8].decode("latin-1")
        if length < inner or place + length > end:
            raise _cut(f"its part “{name}” is not whole") if name.isprintable() else Broken("The file is damaged.", "a whole file")
        yield name, place + inner, place + length
        place += length


def mp4(file: IO[bytes], size: int) -> Header:
    """MP4, M4A, QuickTime."""
    brand = _at(file, 8, 4)
    if brand[:3] in (b"hei", b"mif", b"avi"):
        raise Broken("This is a picture (HEIC or AVIF), not a sound or video.", "png, jpeg or webp for pictures")
    top = {name: (begin, end) for name, begin, end in _boxes(file, 0, size)}
    if "moov" not in top:
        raise _cut("its table of contents (“moov”) is missing")
    seconds, tracks = None, []
    for name, begin, end in _boxes(file, *top["moov"]):
        if name == "mvhd":
            seconds = _timed(_at(file, begin, 32))
        elif name == "trak":
            tracks.append(_track(file, begin, end))
    moving = next((t for t in tracks if t.kind == "vide" and t.codec not in PICTURES), None)
    sound = next((t for t in tracks if t.kind == "soun"), None)
    for track, known in ((moving, VIDEO_CODECS), (sound, AUDIO_CODECS)):
        if track is not None and track.codec not in known:
            raise Broken(f"It is coded as “{track.codec.strip()}”, which browsers do not play.", "H.264, AV1 or VP9, with AAC or Opus")
    main = moving or sound
    if main is None:
        raise Broken("There is neither sound nor video in this file.", "a whole mp4, m4a or mov")
    family = "video" if moving else "audio"
    return Header(
        media_type="video/quicktime" if moving and brand == b"qt  " else f"{family}/mp4", video=moving is not None,
        duration=main.seconds or seconds or None, width=moving.width if moving else None, height=moving.height if moving else None,
        channels=sound.channels if sound else None, sample_rate=sound.rate if sound else None,
        frame_rate=moving.frames / moving.seconds if moving and moving.frames and moving.seconds else None, codec=main.codec,
    )  # fmt: skip


@dataclass(kw_only=True)
class _Track:
    kind: str = ""
    codec: str = ""
    seconds: float | None = None
    frames: int = 0
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    rate: int | None = None


def _track(file: IO[bytes], begin: int, end: int) -> _Track:
    found = _Track()

    def walk(begin: int, end: int) -> None:
        for name, start, stop in _boxes(file, begin, end):
            if name in ("mdia", "minf", "stbl"):
                walk(start, stop)
            elif name == "hdlr" and not found.kind:
                found.kind = _at(file, start + 8, 4).decode("latin-1")
            elif name == "mdhd":
                found.seconds = _timed(_at(file, start, 32))
            elif name == "stsz":
                found.frames = int.from_bytes(_at(file, start + 8, 4), "big")
            elif name == "stsd":
                entry = _at(file, start + 8, 60)
                found.codec = entry[4:8].decode("latin-1")
                if found.kind == "vide" and len(entry) >= 36:
                    found.width, found.height = struct.unpack(">HH", entry[32:36])
                elif found.kind == "soun" and len(entry) >= 36:
                    found.channels, found.rate = int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[32:34], "big")

    walk(begin, end)
    return found


def _timed(head: bytes) -> float | None:
    """Seconds that `mvhd` or `mdhd` tells."""
    if len(head) < 32:
        return None
    scale, length = struct.unpack(">IQ", head[20:32]) if head[0] else struct.unpack(">II", head[12:20])
    return length / scale if scale and length not in (0xFFFFFFFF, 2**64 - 1) else None


_INSIDE = frozenset({0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1})
"""Segment, Info, Tracks, TrackEntry, Video, Audio: elements that are looked into."""


def webm(file: IO[bytes], size: int) -> Header:
    """EBML with the document type `webm`."""
    found: dict[int, list[bytes]] = {}
    _elements(file, 0, size, found, [0])
    kind = found.get(0x4282, [b""])[0].rstrip(b"\0")
    if kind != b"webm":
        raise Broken(
            f"This is {'Matroska (mkv)' if kind == b'matroska' else 'no WebM file'}, which not every browser plays.", "webm or mp4"
        )
    kinds = [int.from_bytes(v, "big") for v in found.get(0x83, [])]
    codecs = [v.decode("latin-1") for v in found.get(0x86, [])]
    if not kinds or len(codecs) != len(kinds):
        raise _cut("it tells of neither sound nor video")
    if 0x1F43B675 not in found:
        raise _cut("there is nothing after its header")
    video = 1 in kinds

    def number(id_: int) -> float | None:
        data = found.get(id_, [b""])[0]
        if id_ in (0x4489, 0xB5):
            return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0]) if len(data) in (4, 8) else None
        return int.from_bytes(data, "big") if data else None

    ticks, scale, rate, each = number(0x4489), number(0x2AD7B1) or 1_000_000, number(0xB5), number(0x23E383)
    wide, high, channels = number(0xB0), number(0xBA), number(0x9F)
    return Header(
        media_type="video/webm" if video else "audio/webm", video=video, duration=ticks * scale / 1e9 if ticks and ticks > 0 else None,
        width=int(wide) if video and wide else None, height=int(high) if video and high else None,
        channels=int(channels or 1) if 2 in kinds else None, sample_rate=int(rate) if rate else None,
        frame_rate=1e9 / each if video and each else None, codec=codecs[kinds.index(1) if video else 0][2:],
    )  # fmt: skip


def _elements(file: IO[bytes], place: int, end: int, found: dict[int, list[bytes]], count: list[int]) -> None:
    """The small elements of all that is looked into, up to the first cluster of sound and pictures."""
    while place < end and 0x1F43B675 not in found:
        count[0] += 1
        if count[0] > MOST_BOXES:
            return
        head = _at(file, place, 12)
        wide = 9 - (head[0].bit_length() if head else 0)
        id_ = int.from_bytes(head[:wide], "big")
        rest = head[wide:]
        long = 9 - (rest[0].bit_length() if rest else 0)
        if wide > 4 or long > 8 or len(rest) < long:
            raise _cut("an element of its header is not whole")
        length = int.from_bytes(rest[:long], "big") & (1 << 7 * long) - 1
        begin = place + wide + long
        unknown = length == (1 << 7 * long) - 1
        stop = end if unknown else begin + length
        if stop > end:
            raise _cut("its pictures and sounds are not all there")
        if id_ in _INSIDE or id_ == 0x1A45DFA3:
            _elements(file, begin, stop, found, count)
        else:
            found.setdefault(id_, []).append(_at(file, begin, min(length, 64)) if id_ != 0x1F43B675 else b"")
        place = stop


def pdf(file: IO[bytes], size: int) -> Header:
    if b"%%EOF" not in _at(file, max(0, size - 2048), 2048):
        raise _cut("the end mark of the PDF is missing")
    counts = [int(n) for n in re.findall(rb"/Type\s*/Pages\b[^>]{0,400}?/Count\s+(\d{1,6})", _at(file, 0, min(size, 8 * 1024**2)))]
    return Header(media_type="application/pdf", codec="PDF", pages=max(counts, default=0) or None)


PARSERS: dict[str, Callable[[IO[bytes], int], Header]] = {
    "wav": wav,
    "flac": flac,
    "ogg": ogg,
    "mp3": mp3,
    "mp4": mp4,
    "webm": webm,
    "pdf": pdf,
}
