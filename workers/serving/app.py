"""The predictor's HTTP: plain JSON predict and the KServe Open Inference Protocol v2, written by hand on ASGI, because a framework's
routing and validation would cost more than a small model's answer.

    POST /v1/{project}/{endpoint}/predict      {"instances": [{…}, …]}, or the bytes of one image
    GET  /v2 · /v2/health/live · /v2/health/ready
    GET  /v2/models/{project}.{endpoint}[/versions/{version}][/ready]
    POST /v2/models/{project}.{endpoint}[/versions/{version}]/infer
    GET  /healthz
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from workers.serving import oip
from workers.serving.access import Access, AccessUnknown
from workers.serving.batching import Overloaded
from workers.serving.log import PredictionLog
from workers.serving.model import InputRefused
from workers.serving.routing import Directory, Route, Served

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
MAX_IN_FLIGHT = 1024
REQUEST_ID = re.compile(rb"^[A-Za-z0-9._:-]{1,64}$")
_encode = json.JSONEncoder(separators=(",", ":")).encode
"""`json.dumps` with separators would make an encoder for each answer."""
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Refusal(Exception):
    """An answer that is an error. `code` is for programs, `message` for people."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        problems: list[dict[str, str]] | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ):
        super().__init__(message)
        self.status, self.code, self.message, self.hint, self.problems, self.headers = (
            status,
            code,
            message,
            hint,
            problems or [],
            headers or [],
        )

    def body(self) -> dict[str, Any]:
        field = self.problems[0]["field"] if self.problems else None
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "field": field,
                "hint": self.hint,
                "problems": self.problems,
                "details": {},
            }
        }


class Predictor:
    """The ASGI application. `directory`, `access` and `predictions` are made by `__main__` on the loop it runs on."""

    def __init__(self, *, directory: Directory, access: Access, predictions: PredictionLog):
        self.directory, self.access, self.predictions = directory, access, predictions
        self._in_flight = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if REQUEST_ID.match(given) else secrets.token_hex(16)
        answer_headers: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id.encode())]
        try:
            status, body = await self._answer(scope, receive, headers, request_id, answer_headers)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body()
            answer_headers += refusal.headers
        except Exception:
            log.exception("request %s failed", request_id)
            status, body = (
                500,
                Refusal(500, "internal", "The predictor failed on this request.", hint=f"Its log names request {request_id}.").body(),
            )
        data = b"" if body is None else _encode(body).encode()
        answer_headers += [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(data)),
            (b"access-control-allow-origin", b"*"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": answer_headers})
        await send({"type": "http.response.body", "body": data})

    async def _answer(
        self, scope: dict[str, Any], receive: Receive, headers: dict[bytes, bytes], request_id: str, out: list[tuple[bytes, bytes]]
    ) -> tuple[int, Any]:
        method, path = scope["method"], scope["path"]
        parts = path.strip("/").split("/")
        if method == "OPTIONS":
            out += [
                (b"access-control-allow-headers", b"authorization, content-type, x-request-id"),
                (b"access-control-allow-methods", b"GET, POST"),
                (b"access-control-max-age", b"600"),
            ]
            return 204, None
        match parts:
            case ["healthz"]:
                return (200, {"status": "ok"}) if self.directory.ready else (503, {"status": "starting"})
            case ["v1", project, endpoint, "predict"]:
                _only(method, "POST")
                return await self._predict(project, endpoint, scope, receive, headers, request_id, out)
            case ["v2"]:
                return 200, oip.SERVER
            case ["v2", "health", "live"]:
                return 200, {"live": True}
            case ["v2", "health", "ready"]:
                return (200, {"ready": True}) if self.directory.ready else (503, {"ready": False})
            case ["v2", "models", name, *rest]:
                return await self._oip(name, rest, scope, receive, headers, request_id, out)
        raise Refusal(404, "not_found", f"There is nothing at {path}.", hint="POST /v1/<project>/<endpoint>/predict")

    # -- plain JSON -------------------------------------------------------------------------------------------------

    async def _predict(
        self,
        project: str,
        endpoint: str,
        scope: dict[str, Any],
        receive: Receive,
        headers: dict[bytes, bytes],
        request_id: str,
        out: list[tuple[bytes, bytes]],
    ) -> tuple[int, Any]:
        route = await self._route(project, endpoint, scope["path"], headers)
        began = time.perf_counter()
        body = await self._body(receive, headers)
        kind = headers.get(b"content-type", b"application/json").split(b";")[0].strip().lower()
        served = route.choose()
        out.append((b"x-model-version", served.model.label.encode()))
        given: Any
        if kind.startswith(b"image/") or kind == b"application/octet-stream":
            if not served.model.is_image:
                raise Refusal(
                    415, "unsupported_media_type", "This endpoint takes rows, not an image.", hint='Send JSON: {"instances": [{…}]}'
                )
            given = [body]
        else:
            given = _json(body)
            unknown = given.keys() - {"instances"}
            if unknown:
                raise Refusal(
                    422,
                    "invalid_input",
                    "Some of what was sent is not right.",
                    problems=[{"field": sorted(unknown)[0], "message": "is not known here", "expected": '{"instances": [{…}, …]}'}],
                )
            given = given.get("instances")
        try:
            answers, rows = await self._infer(served, given)
        except Refusal as refusal:
            self._note(route, served, request_id, refusal.status, began, 0, _loggable(served, given), refusal.body()["error"]["problems"])
            raise
        self._note(route, served, request_id, 200, began, rows, _loggable(served, given), answers)
        return 200, {"predictions": answers, "model_version": served.model.label, "request_id": request_id}

    async def _infer(self, served: Served, given: Any) -> tuple[list[dict[str, Any]], int]:
        model = served.model
        try:
            # Decoding images is slow and lets go of the interpreter lock; checking rows is quick.
            columns, rows = await asyncio.to_thread(model.check, given) if model.is_image else model.check(given)
        except InputRefused as error:
            raise Refusal(422, "invalid_input", "Some of what was sent does not fit the model's input.", problems=error.problems) from None
        return model.answers(await self._run(served, columns, rows)), rows

    async def _run(self, served: Served, columns: Any, rows: int) -> Any:
        if self._in_flight >= MAX_IN_FLIGHT:
            raise _overloaded()
        self._in_flight += 1
        try:
            return await served.batcher.submit(columns, rows)
        except Overloaded:
            raise _overloaded() from None
        finally:
            self._in_flight -= 1

    # -- Open Inference Protocol ------------------------------------------------------------------------------------

    async def _oip(
        self,
        name: str,
        rest: list[str],
        scope: dict[str, Any],
        receive: Receive,
        headers: dict[bytes, bytes],
        request_id: str,
        out: list[tuple[bytes, bytes]],
    ) -> tuple[int, Any]:
        project, _, endpoint = name.partition(".")
        route = await self._route(project, endpoint, scope["path"], headers)
        served = route.choose()
        if rest[:1] == ["versions"] and len(rest) >= 2:
            named = [s for s in route.served if s.model.label.rpartition("@")[2] == rest[1]]
            if not named:
                raise Refusal(404, "not_found", f"Version {rest[1]} of {name} does not answer here.")
            served, rest = named[0], rest[2:]
        out.append((b"x-model-version", served.model.label.encode()))
        match rest:
            case []:
                return 200, oip.metadata(name, served.model, [s.model for s in route.served])
            case ["ready"]:
                return 200, {"name": name, "ready": True}
            case ["infer"]:
                _only(scope["method"], "POST")
                began = time.perf_counter()
                if b"inference-header-content-length" in headers:
                    raise Refusal(400, "unsupported", "The binary tensor extension is not offered here; send tensors as JSON.")
                request = _json(await self._body(receive, headers))
                try:
                    columns, rows = oip.columns(served.model, request)
                except InputRefused as error:
                    raise Refusal(
                        422, "invalid_input", "Some of what was sent does not fit the model's input.", problems=error.problems
                    ) from None
                raw = await self._run(served, columns, rows)
                answer = oip.response(name, served.model, request, raw, request_id)
                self._note(
                    route,
                    served,
                    request_id,
                    200,
                    began,
                    rows,
                    None if served.model.is_image else oip.as_rows(served.model, columns),
                    served.model.answers(raw),
                )
                return 200, answer
        raise Refusal(404, "not_found", f"There is nothing at {scope['path']}.")

    # -- shared -----------------------------------------------------------------------------------------------------

    async def _route(self, project: str, endpoint: str, path: str, headers: dict[bytes, bytes]) -> Route:
        """The route, if the caller may use it. A stranger cannot tell a missing endpoint from one that is not his."""
        internal = headers.get(b"x-headrace-internal", b"").decode("latin-1")
        if internal and self.access.is_studio(internal, path):
            route = self.directory.find(project, endpoint)
        else:
            try:
                caller = await self.access.caller(headers.get(b"authorization", b"").decode("latin-1"))
            except AccessUnknown:
                raise Refusal(
                    503,
                    "unavailable",
                    "The database is away and this token has not been seen lately; try again shortly.",
                    headers=[(b"retry-after", b"2")],
                ) from None
            if caller is None:
                raise Refusal(
                    401,
                    "sign_in_needed",
                    "Send an API token as `Authorization: Bearer hr_…`.",
                    hint="Make one under Settings → API tokens.",
                    headers=[(b"www-authenticate", b"Bearer")],
                )
            route = self.directory.find(project, endpoint)
            if route is not None and route.project not in caller.projects:
                route = None
        if route is None:
            if not self.directory.ready:
                raise Refusal(503, "unavailable", "The predictor is starting; try again in a moment.", headers=[(b"retry-after", b"1")])
            raise Refusal(404, "not_found", f"No endpoint “{endpoint}” answers in project “{project}”, or you may not see it.")
        return route

    async def _body(self, receive: Receive, headers: dict[bytes, bytes]) -> bytes:
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > MAX_BODY:
            raise _too_large()
        message = await receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if len(body) > MAX_BODY:
                raise _too_large()
            return body
        pieces, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "incomplete", "The request ended before its body did.")
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > MAX_BODY:
                raise _too_large()
        return b"".join(pieces)

    def _note(self, route: Route, served: Served, request_id: str, status: int, began: float, rows: int, given: Any, output: Any) -> None:
        self.predictions.add(
            endpoint=route.endpoint, deployment=served.deployment, label=served.model.label, request_id=request_id, status=status,
            latency_us=int((time.perf_counter() - began) * 1e6), rows=rows, input=given, output=output,
        )  # fmt: skip


def _loggable(served: Served, given: Any) -> Any:
    """What the log keeps of the input: rows as they came; of images the bytes, which the writer moves into the store."""
    if not served.model.is_image:
        return given
    import base64
    import binascii

    kept = []
    for entry in given if isinstance(given, list) else []:
        if isinstance(entry, bytes):
            kept.append(entry)
        elif isinstance(entry, dict) and isinstance(text := entry.get("image"), str):
            try:
                kept.append(base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text))
            except (binascii.Error, ValueError):
                return None
    return kept or None


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "invalid_json", f"The body is not JSON: {error}.", hint='{"instances": [{…}, …]}') from None
    if not isinstance(value, dict):
        raise Refusal(422, "invalid_input", "The body must be a JSON object.", hint='{"instances": [{…}, …]}')
    return value


def _only(method: str, wanted: str) -> None:
    if method != wanted:
        raise Refusal(405, "method_not_allowed", f"Use {wanted} here.", headers=[(b"allow", wanted.encode())])


def _overloaded() -> Refusal:
    return Refusal(
        429, "overloaded", "More requests are waiting than this predictor takes; try again shortly.", headers=[(b"retry-after", b"1")]
    )


def _too_large() -> Refusal:
    return Refusal(
        413, "too_large", f"The body may have at most {MAX_BODY // 1024 // 1024} MiB.", hint="Send fewer instances in a request."
    )
