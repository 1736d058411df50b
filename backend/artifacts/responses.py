"""Answers that are bytes: streamed piece by piece (under ASGI too, where Django would otherwise collect a synchronous iterator
whole), never shown as a page. Only raster images are shown in place; everything else is a download: sounds,
videos and PDFs of their own type (an element of a page plays them all the same), HTML and SVG of no executable type. What lies in the
store can be asked for in parts (`Range`), so that a player seeks and a broken download goes on where it stopped."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import IO, Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils.http import content_disposition_header

from backend.artifacts.aside import BODY, Body
from backend.artifacts.errors import RangeNotSatisfiable
from backend.artifacts.storage import store
from backend.artifacts.thumbnails import SCREEN, thumbnail
from backend.core.middleware import answer as answer_of

JSON = "application/json; charset=utf-8"
IN_PLACE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"})
ACTIVE = ("html", "svg", "xml", "javascript", "ecmascript", "xhtml", "flash")
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})")
FOREVER = "private, max-age=31536000, immutable"


def bytes_of(*media_types: str, ranges: bool = False) -> dict[str, Any]:
    """What the OpenAPI document says of a route that answers with bytes: `openapi_extra=bytes_of("text/csv")`.
    A media type without a schema is how OpenAPI 3.1 says bytes of any kind; JSON among them is not a string.
    `ranges`: parts of them can be asked for."""
    content: dict[str, Any] = {"content": {media_type: {} for media_type in media_types}}
    answers: dict[int, Any] = {200: {"description": "The bytes", **content}}
    if ranges:
        answers[206] = {"description": "The part that the header `Range` asks for", **content}
    return {"responses": answers}


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


def stored_response(
    request: HttpRequest, digest: str, *, filename: str, media_type: str, attachment: bool = False, cache: str = "private, no-cache"
) -> HttpResponseBase:
    """A blob of the store as `filename`, whole or the one part that `Range` asks for. Several parts, another unit and what is no
    range are answered with the whole, as is a part of something else than `If-Range` names (RFC 9110, 14.2)."""
    kept, etag = store(), f'"{digest}"'
    size = kept.size(digest)
    asked = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    try:
        part = _part(asked, size)
    except RangeNotSatisfiable as exc:
        refused = answer_of(exc)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    start, end = part or (0, size - 1)
    answer = bytes_response(
        request,
        kept.pieces(digest, start, end + 1 - start),
        filename=filename,
        media_type=media_type,
        size=end + 1 - start,
        digest=digest,
        attachment=attachment,
        cache=cache,
    )
    answer["Accept-Ranges"] = "bytes"
    if part and answer.status_code == 200:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {start}-{end}/{size}"
    return answer


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """(first, last byte) that a header `Range` asks for; None for the whole."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, last = max(size - int(found[2]), 0) if int(found[2]) else size, size - 1
    else:
        first, last = int(found[1]), min(int(found[2]), size - 1) if found[2] else size - 1
        if found[2] and int(found[2]) < first:
            return None
    if first >= size:
        raise RangeNotSatisfiable(size=size)
    return first, last


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


def overview_response(request: HttpRequest, digest: str, name: str) -> HttpResponseBase:
    """An image as wide as a screen at most."""
    data = thumbnail(digest, SCREEN)
    return small_response(request, data, filename=f"{name}.webp", media_type="image/webp", digest=f"{digest}.{SCREEN}")


def json_of(request: HttpRequest, found: Any) -> Any:
    """What a hand made as JSON already goes out as it is; anything else is returned for ninja to write."""
    if not isinstance(found, Body):
        return found
    answer: HttpResponseBase
    if found.size <= BODY:
        answer = HttpResponse(b"".join(found.pieces()), content_type=JSON)
    else:
        pieces: Any = _asynchronous(found.pieces()) if isinstance(request, ASGIRequest) else found.pieces()
        answer = StreamingHttpResponse(pieces, content_type=JSON)
    answer["Content-Length"] = str(found.size)
    return answer


async def _asynchronous(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    done, turn = object(), threading.Lock()

    def following() -> Any:
        with turn:
            return next(pieces, done)

    def close() -> None:
        with turn:  # a piece may still be on its way when its reader leaves
            if end := getattr(pieces, "close", None):
                end()

    try:
        while (piece := await asyncio.to_thread(following)) is not done:
            yield piece
    finally:  # also when the reader went away: what made the pieces is ended with it
        asyncio.get_running_loop().run_in_executor(None, close)


def read_pieces(file: IO[bytes], size: int = 1024 * 1024) -> Iterator[bytes]:
    """An open file piece by piece; it is closed at the end."""
    with file:
        while piece := file.read(size):
            yield piece
