"""The way to the studio's HTTP API: requests, repeats, errors, pages. What may be asked is in `client.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]


class ApiError(Exception):
    """The studio answered with an error. `problems` is a list of `{field, message, expected}`."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", problems: list[Json] | None = None, details: Json | None = None
    ):
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.problems, self.details = problems or [], details or {}

    def __str__(self) -> str:
        lines = [self.message]
        for problem in self.problems:
            expected = f" (expected {problem['expected']})" if problem.get("expected") else ""
            lines.append(f"  {problem.get('field') or '·'}: {problem.get('message', '')}{expected}")
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)

    def __reduce__(self) -> tuple[type[ApiError], tuple[int, str, str, str, list[Json], Json]]:
        return (ApiError, (self.status, self.code, self.message, self.hint, self.problems, self.details))


class Unreachable(ApiError):
    """No answer from the studio."""

    def __init__(self, base_url: str, reason: str):
        super().__init__(
            0, "unreachable", f"The studio at {base_url} does not answer ({reason}).", "Is it running? `python3 manage.py status` tells."
        )
        self.base_url, self.reason = base_url, reason

    def __reduce__(self) -> tuple[type[Unreachable], tuple[str, str]]:  # type: ignore[override]  # rebuilt from its own two arguments
        return (Unreachable, (self.base_url, self.reason))


class Http:
    """`project` is the slug that verbs use when none is given. `idempotency` (a step run's id) makes writes safe to repeat."""

    def __init__(
        self, base_url: str, token: str = "", project: str = "", *, idempotency: str = "", timeout_s: float = 60, patience_s: float = 30
    ):
        import httpx

        self.base_url, self.project, self._idempotency, self.patience_s = base_url.rstrip("/"), project, idempotency, patience_s
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http: httpx.Client = httpx.Client(base_url=self.base_url + "/api/v1", headers=headers, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # -- the one way out --------------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, *, json: Any = None, params: Json | None = None, content: bytes | None = None, key: str = ""
    ) -> Any:
        """Send one request and return its JSON (None for an empty answer). `key` names the write for repeats."""
        import httpx

        headers = {}
        if key and self._idempotency:
            headers["Idempotency-Key"] = f"{self._idempotency}:{key}"
        if content is not None:
            headers["Content-Type"] = "application/octet-stream"
        repeatable = method in ("GET", "PUT") or "Idempotency-Key" in headers
        deadline, pause = time.monotonic() + self.patience_s, 0.2
        while True:
            try:
                answer = self._http.request(method, path, json=json, params=_given(params), content=content, headers=headers)
            except httpx.TransportError as error:
                if not repeatable or time.monotonic() > deadline:
                    raise Unreachable(self.base_url, str(error) or type(error).__name__) from None
            else:
                if answer.status_code < 400:
                    return answer.json() if answer.content else None
                if answer.status_code not in (502, 503, 504) or not repeatable or time.monotonic() > deadline:
                    raise error_of(answer)
            time.sleep(pause)
            pause = min(pause * 2, 3)

    def download(self, path: str) -> bytes:
        """The bytes of a file that the API gives."""
        answer = self._http.get(path)
        if answer.status_code >= 400:
            raise error_of(answer)
        return answer.content

    def _p(self, project: str | None) -> str:
        slug = project or self.project
        if not slug:
            raise ApiError(
                0, "no_project", "No project was named.", "Name one with --project, or choose one with `headrace project use SLUG`."
            )
        return f"/projects/{quote(slug, safe='')}"

    def _pages(self, path: str, params: Json | None = None) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page = self.request("GET", path, params={**(params or {}), "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _dict(self, method: str, path: str, **kwargs: Any) -> Json:
        answer = self.request(method, path, **kwargs)
        if not isinstance(answer, dict):
            raise ApiError(
                0, "unexpected", f"The studio's answer to {method} {path} is not an object.", "Are client and studio of the same version?"
            )
        return answer

    def _list(self, method: str, path: str, **kwargs: Any) -> list[Json]:
        answer = self.request(method, path, **kwargs)
        if not isinstance(answer, list):
            raise ApiError(
                0, "unexpected", f"The studio's answer to {method} {path} is not a list.", "Are client and studio of the same version?"
            )
        return answer


def _given(params: Json | None) -> Json:
    return {name: value for name, value in (params or {}).items() if value is not None}


def error_of(answer: httpx.Response) -> ApiError:
    try:
        told = answer.json()["error"]
        return ApiError(answer.status_code, told["code"], told["message"], told.get("hint", ""), told.get("problems"), told.get("details"))
    except (ValueError, KeyError, TypeError):
        return ApiError(answer.status_code, "unexpected", f"The studio answered {answer.status_code} {answer.reason_phrase}.")
