"""Sounds, videos and PDFs as bytes, made here: the smallest files of each kind that are whole."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path


def wav(seconds: float = 1.0, rate: int = 8000, channels: int = 1, tone: float = 440.0) -> bytes:
    """A tone whose loudness swells and falls twice a second, so that its waveform shows something."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        count = round(seconds * rate)
        swell = [0.15 + 0.85 * math.sin(2 * math.pi * n / rate) ** 2 for n in range(rate)]
        samples = (int(20_000 * swell[n % rate] * math.sin(2 * math.pi * tone * n / rate)) for n in range(count))
        file.writeframes(b"".join(struct.pack("<h", s) * channels for s in samples))
    return out.getvalue()


def film(path: Path, seconds: float = 3, rate: int = 25) -> Path:
    """A WebM that plays: two boxes of colour that cross each other. About 2 kB a second."""
    import cv2  # here: only what looks at videos needs it
    import numpy as np

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), rate, (640, 360))
    for n in range(round(seconds * rate)):
        frame = np.full((360, 640, 3), (102, 85, 68), np.uint8)
        left = 40 + 440 * n // round(seconds * rate)
        cv2.rectangle(frame, (left, 120), (left + 120, 220), (0, 210, 255), -1)
        cv2.rectangle(frame, (520 - left, 230), (600 - left, 300), (90, 200, 60), -1)
        writer.write(frame)
    writer.release()
    return path


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def mp4(seconds: float = 2.0, frames: int = 50, codec: bytes = b"avc1", brand: bytes = b"isom", sound: bool = False) -> bytes:
    """A header only, as an encoder writes it; there is nothing to play."""
    scale = 1000
    length = round(seconds * scale)
    visual = b"\0" * 6 + b"\0\1" + b"\0" * 16 + struct.pack(">HH", 320, 240) + b"\0" * 50
    audible = b"\0" * 6 + b"\0\1" + b"\0" * 8 + struct.pack(">HHHHI", 2, 16, 0, 0, 44100 << 16)
    entry = box(codec, audible if sound else visual)
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, scale, length, 0), b"\0" * 12),
        box(b"hdlr", b"\0" * 8, b"soun" if sound else b"vide", b"\0" * 13),
        box(b"minf", box(b"stbl", box(b"stsd", b"\0" * 4, b"\0\0\0\1", entry), box(b"stsz", b"\0" * 8, struct.pack(">I", frames)))),
    )
    head = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, scale, length), b"\0" * 80)
    return box(b"ftyp", brand, b"\0\0\2\0", brand) + box(b"moov", head, box(b"trak", media)) + box(b"mdat", b"\0" * 64)


def element(id_: int, body: bytes) -> bytes:
    name = id_.to_bytes((id_.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def webm(seconds: float | None = 3.0, kind: bytes = b"webm") -> bytes:
    info = element(
        0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40") + (element(0x4489, struct.pack(">d", seconds * 1000)) if seconds else b"")
    )
    video = element(0xE0, element(0xB0, b"\1\x40") + element(0xBA, b"\xf0"))
    track = element(0x1654AE6B, element(0xAE, element(0x83, b"\1") + element(0x86, b"V_VP9") + element(0x23E383, b"\2\x62\x5a\0") + video))
    return element(0x1A45DFA3, element(0x4282, kind)) + element(0x18538067, info + track + element(0x1F43B675, b"\0" * 32))


def page(body: bytes, granule: int, number: int) -> bytes:
    sizes = bytes([255] * (len(body) // 255) + [len(body) % 255])
    return b"OggS\0\0" + struct.pack("<qIII", granule, 7, number, 0) + bytes([len(sizes)]) + sizes + body


def ogg(seconds: float = 2.0) -> bytes:
    head = b"OpusHead\1\2" + struct.pack("<HIh", 312, 48_000, 0) + b"\0"
    return page(head, 0, 0) + page(b"OpusTags" + b"\0" * 8, 0, 1) + page(b"\0" * 300, round(seconds * 48_000) + 312, 2)


def mp3(seconds: float = 2.0, tagged: bool = False) -> bytes:
    frames = round(seconds * 44_100 / 1152)
    one = b"\xff\xfb\x90\x00"  # 128 kbit/s, 44.1 kHz: 417 bytes
    return (b"ID3\4\0\0\0\0\0\x0a" + b"\0" * 10 if tagged else b"") + (one + b"\0" * 413) * frames


def flac(seconds: float = 2.0) -> bytes:
    packed = (44_100 << 44) | (1 << 41) | (15 << 36) | round(seconds * 44_100)
    return b"fLaC\x80\0\0\x22" + b"\x10\0\x10\0" + b"\0" * 6 + packed.to_bytes(8, "big") + b"\0" * 16 + b"\xff\xf8" + b"\0" * 40


def pdf(pages: int = 2) -> bytes:
    return b"%%PDF-1.4\n1 0 obj << /Type /Pages /Kids [] /Count %d >> endobj\ntrailer << >>\n%%%%EOF\n" % pages
