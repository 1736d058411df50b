"""Answers that are bytes: streamed piece by piece (under ASGI too, where Django would otherwise collect a synchronous iterator
whole), never shown as a page. Only raster images are shown in place; everything else, HTML and SVG above all, is a download
of no executable type."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import IO, Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils.http import content_disposition_header

IN_PLACE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"})
ACTIVE = ("html", "svg", "xml", "javascript", "ecmascript", "xhtml", "pdf", "flash")
FOREVER = "private, max-age=31536000, immutable"


def bytes_of(*media_types: str) -> dict[str, Any]:
    """What the OpenAPI document says of a route that answers with bytes: `openapi_extra=bytes_of("text/csv")`.
    A media type without a schema is how OpenAPI 3.1 says bytes of any kind; JSON among them is not a string."""
    return {"responses": {200: {"description": "The bytes", "content": {media_type: {} for media_type in media_types}}}}


def bytes_response(
    request: HttpRequest,
    pieces: Iterable[bytes],
    *,
    filename: str,
    media_type: str,
    size: int | None = None,
    digest: str = "",
    attachment: bool = False,
    cache: str = "private, no-cache",
) -> HttpResponseBase:
    """Stream `pieces` as `filename`. With `digest` a browser that has these bytes already is told so (304)."""
    etag = f'"{digest}"' if digest else ""
    if etag and etag in request.headers.get("If-None-Match", ""):
        answer: HttpResponseBase = HttpResponseNotModified()
    else:
        media_type = media_type.split(";")[0].strip().lower() or "application/octet-stream"
        if any(word in media_type for word in ACTIVE):
            media_type = "application/octet-stream"
        shown = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
        content: Any = _asynchronous(iter(pieces)) if isinstance(request, ASGIRequest) else pieces
        answer = StreamingHttpResponse(content, content_type=shown)
        if size is not None:
            answer["Content-Length"] = str(size)
        answer["Content-Disposition"] = content_disposition_header(attachment or media_type not in IN_PLACE, filename) or "attachment"
    if etag:
        answer["ETag"] = etag
    answer["Cache-Control"] = cache
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def small_response(
    request: HttpRequest, data: bytes, *, filename: str, media_type: str, digest: str = "", cache: str = FOREVER
) -> HttpResponseBase:
    """Bytes that are in memory already."""
    answer = bytes_response(request, [data], filename=filename, media_type=media_type, size=len(data), digest=digest, cache=cache)
    if not isinstance(answer, StreamingHttpResponse):
        return answer
    whole = HttpResponse(data)
    for name, value in answer.headers.items():
        whole[name] = value
    return whole


async def _asynchronous(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    done = object()
    while (piece := await asyncio.to_thread(next, pieces, done)) is not done:
        yield piece  # type: ignore[misc]  # the sentinel is excluded above


def zip_stream(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """A zip made while it is sent. Members are stored, not compressed: images, Parquet and ONNX hardly shrink."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, pieces in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as out:
                for piece in pieces:
                    out.write(piece)
                    if sink.waiting > 256 * 1024:
                        yield sink.take()
            if sink.waiting > 256 * 1024:
                yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """What zipfile writes into: cannot seek, so it is written front to back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self.waiting += len(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        data, self._parts, self.waiting = b"".join(self._parts), [], 0
        return data


def read_pieces(file: IO[bytes], size: int = 1024 * 1024) -> Iterator[bytes]:
    """An open file piece by piece; it is closed at the end."""
    with file:
        while piece := file.read(size):
            yield piece
