"""The other server, spoken to with its own SDK's client: each method is one or a few requests, each failure a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from backend.artifacts.storage import store
from backend.core import outgoing
from backend.core.errors import HeadraceError
from backend.labelstudio.actions.files import stream
from backend.labelstudio.actions.sync.said import Person

Json = dict[str, Any]
PAGE = 500
IDS_AT_ONCE = 200
SKEW = timedelta(seconds=10)
"""What a transaction there may take: what it changed is not seen before, and has an earlier time."""
OLDEST = (1, 16)
"""Older ones do not have the tokens that their pages show today, and were never tried."""
UPLOADS_AT_ONCE = 20
UPLOAD_BYTES = 100 * 1024**2
"""Together, of one request: Label Studio refuses 250 MB, and many of its proxies 128."""


class CannotSync(HeadraceError):
    """{why}"""


class NotTaken(Exception):
    """The server refuses one thing; the argument says why, in its words."""


class There:
    def __init__(self, url: str, token: str) -> None:
        from label_studio_sdk.client import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        self.url = url
        self._error = ApiError
        self._client = outgoing.client(seconds=120)
        made: Any = self._say(lambda: LabelStudio(base_url=url, api_key=token, httpx_client=self._client))  # type: ignore[no-untyped-call]  # no types there
        self._wrapper = made._client_wrapper
        self.requests = 0

    def close(self) -> None:
        self._client.close()

    def check(self) -> None:
        """Raises CannotSync where this is no Label Studio, or one that is too old, or the token is not good."""
        said = self._ask("GET", "api/version/", gone="There is no Label Studio at this address.")
        release = (
            str(said.get("release") or (said.get("label-studio-os-package") or {}).get("version") or "") if isinstance(said, dict) else ""
        )
        numbers = re.match(r"(\d+)\.(\d+)", release)
        if numbers is None:
            raise CannotSync(why=f"What answers at {self.url} is no Label Studio.", hint="Look at the address.")
        if (int(numbers[1]), int(numbers[2])) < OLDEST:
            raise CannotSync(
                why=f"Label Studio {release} runs there, which is too old to be synchronised with.",
                hint=f"It takes {OLDEST[0]}.{OLDEST[1]} or newer.",
            )

    def project(self, number: int) -> Json:
        gone = f"The project {number} is not there, or the token's owner may not see it."
        found: Json = self._ask("GET", f"api/projects/{number}/", gone=gone)
        return found

    def make_project(self, fields: Json) -> int:
        return int(self._ask("POST", "api/projects/", json=fields)["id"])

    def people(self) -> dict[int, Person]:
        rows = self._ask("GET", "api/users/")
        found = {}
        for row in rows if isinstance(rows, list) else rows.get("results", []):
            email = str(row.get("email") or "").lower()
            found[int(row["id"])] = Person(email=email, name=f"{row.get('first_name', '')} {row.get('last_name', '')}".strip() or email)
        return found

    def tasks(self, project: int, since: datetime | None = None) -> Iterator[Json]:
        """All tasks with what was said of them, or those that changed since a moment, a page at a time."""
        asked: Json = {"project": project, "page_size": PAGE, "fields": "all"}
        if since is not None:
            item = {
                "filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime",
                "value": since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }  # fmt: skip
            asked["query"] = json.dumps({"filters": {"conjunction": "and", "items": [item]}})
        yield from self._pages(asked)

    def ids(self, project: int) -> set[int]:
        return {int(task["id"]) for task in self._pages({"project": project, "page_size": 1000, "fields": "task_only", "include": "id"})}

    def tasks_of(self, project: int, ids: Sequence[int]) -> Iterator[Json]:
        for n in range(0, len(ids), IDS_AT_ONCE):
            chosen = {"selectedItems": {"all": False, "included": list(ids[n : n + IDS_AT_ONCE])}}
            yield from self._pages({"project": project, "page_size": IDS_AT_ONCE, "fields": "all", "query": json.dumps(chosen)})

    def _pages(self, asked: Json) -> Iterator[Json]:
        page = 0
        while True:
            page += 1
            found = self._ask("GET", "api/tasks/", params={**asked, "page": page})
            rows = found.get("tasks") or []
            yield from rows
            if page * asked["page_size"] >= int(found.get("total") or 0) or not rows:
                return

    def import_tasks(self, project: int, tasks: list[Json]) -> list[int]:
        made = self._ask("POST", f"api/projects/{project}/import", json=tasks, params={"return_task_ids": "true"})
        ids = made.get("task_ids")
        if not isinstance(ids, list) or len(ids) != len(tasks):
            raise CannotSync(why="The server does not say which tasks it made.", hint="It is too old to be synchronised with.")
        return [int(n) for n in ids]

    def change_task(self, task: int, data: Json) -> Json:
        made = self._one("PATCH", f"api/tasks/{task}/", {"data": data})
        return made["data"] if isinstance(made, dict) and isinstance(made.get("data"), dict) else data

    def delete_task(self, task: int) -> None:
        self._gone("DELETE", f"api/tasks/{task}/")

    def annotate(self, task: int, fields: Json) -> Json:
        made: Json = self._one("POST", f"api/tasks/{task}/annotations/", fields)
        return made

    def change(self, annotation: int, fields: Json) -> Json:
        made: Json = self._one("PATCH", f"api/annotations/{annotation}/", fields)
        return made

    def withdraw(self, annotation: int) -> None:
        self._gone("DELETE", f"api/annotations/{annotation}/")

    def prediction_counts(self, project: int) -> dict[int, int]:
        """{task: how many predictions it has}, of all tasks."""
        rows = self._pages({"project": project, "page_size": 1000, "fields": "task_only", "include": "id,total_predictions"})
        return {int(row["id"]): int(row.get("total_predictions") or 0) for row in rows}

    def drop_prediction(self, prediction: int) -> None:
        self._gone("DELETE", f"api/predictions/{prediction}/")

    def predictions(self, task: int) -> list[Json]:
        return list(self._ask("GET", "api/predictions/", params={"task": task}))

    def predict(self, fields: Json) -> int:
        return int(self._one("POST", "api/predictions/", fields)["id"])

    def upload(self, project: int, files: Sequence[tuple[str, str, str]]) -> list[str]:
        """Files as (name, digest, media type); returns what tasks call them. Raises NotTaken."""
        kept = store()
        opened = [kept.open(digest) for _, digest, _ in files]
        try:
            parts = {f"file{n}": (name, body, media) for n, ((name, _, media), body) in enumerate(zip(files, opened, strict=True))}
            answer = self._say(
                lambda: self._client.post(
                    f"{self.url}/api/projects/{project}/import", params={"commit_to_project": "false"}, files=parts,
                    headers=self._wrapper.get_headers(),
                )
            )  # fmt: skip
        finally:
            for body in opened:
                body.close()
        self.requests += 1
        if answer.status_code in (400, 413, 415, 422):
            raise NotTaken(_sentence(_body(answer)) or "the file is too large for it")
        if answer.status_code != 201:
            raise self._failure(answer.status_code, _body(answer))
        ids = answer.json()["file_upload_ids"]
        rows = self._ask("GET", f"api/projects/{project}/file-uploads", params={"ids": json.dumps(ids)})
        paths = {int(row["id"]): str(row["file"]) for row in rows}
        if any(int(n) not in paths for n in ids) or len(ids) != len(files):
            raise CannotSync(why="The server does not say where it keeps what was uploaded.")
        return [f"/data/{paths[int(n)]}" for n in ids]

    def fetch(self, address: str, path: Path, most: int) -> None:
        """A file that a task names; the token goes to this server only. Raises ValueError with what is wrong with the address."""
        whole = urljoin(f"{self.url}/", address)
        parts, own = urlsplit(whole), urlsplit(self.url)
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"“{parts.scheme}:” leads to a storage that only Label Studio can read")
        self.requests += 1
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            stream(self._client, whole, path, most, headers=self._wrapper.get_headers())
            return
        try:
            outgoing.check_url(whole, "url")
        except HeadraceError as e:
            raise ValueError(f"{e} {e.hint}".strip()) from e
        stream(self._client, whole, path, most)

    def _one(self, method: str, path: str, fields: Json) -> Any:
        """One thing that the server may refuse without the rest being wrong: raises NotTaken."""
        answer = self._request(method, path, json=fields)
        if answer.status_code in (400, 403, 404, 409, 422):
            raise NotTaken(_sentence(_body(answer)) or f"it answered {answer.status_code}")
        if answer.status_code >= 400:
            raise self._failure(answer.status_code, _body(answer))
        return answer.json()

    def _gone(self, method: str, path: str) -> None:
        answer = self._request(method, path)
        if answer.status_code == 404:
            return  # as it shall be
        if answer.status_code in (400, 403, 409, 422):
            raise NotTaken(_sentence(_body(answer)) or f"it answered {answer.status_code}")
        if answer.status_code >= 400:
            raise self._failure(answer.status_code, _body(answer))

    def _ask(self, method: str, path: str, *, gone: str = "", **given: Any) -> Any:
        answer = self._request(method, path, **given)
        if answer.status_code == 404 and gone:
            raise CannotSync(why=gone)
        if answer.status_code >= 400:
            raise self._failure(answer.status_code, _body(answer))
        try:
            return answer.json()
        except (ValueError, RecursionError) as e:
            raise CannotSync(why=f"What answers at {self.url} is no Label Studio.", hint="Look at the address.") from e

    def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        self.requests += 1
        answer: httpx.Response = self._say(lambda: self._wrapper.httpx_client.request(path, method=method, **given))
        return answer

    def _say(self, call: Any) -> Any:
        try:
            return call()
        except self._error as e:
            raise self._failure(e.status_code or 0, e.body) from e
        except outgoing.PrivateTarget as e:
            raise CannotSync(why=str(e)) from e
        except httpx.TimeoutException as e:
            raise CannotSync(why=f"{self.url} does not answer in time.", hint="It is tried again at the next synchronisation.") from e
        except (httpx.HTTPError, OSError) as e:
            raise CannotSync(why=f"{self.url} cannot be reached ({e}).", hint="Is it running, and reachable from here?") from e

    def _failure(self, status: int, body: Any) -> CannotSync:
        if status == 401:
            return CannotSync(
                why="The server does not accept the token.", hint="Take a new one from your account there, and change the link."
            )
        if status == 403:
            return CannotSync(why="The token's owner may not do this there.", hint="Use the token of somebody who manages the project.")
        if 300 <= status < 400:
            return CannotSync(
                why=f"{self.url} sends elsewhere.", hint="Enter the address to which it leads, with https:// where it has it."
            )
        if status >= 500:
            return CannotSync(why=f"{self.url} has a fault of its own ({status}).", hint="It is tried again at the next synchronisation.")
        return CannotSync(why=f"{self.url} answered {status}: {_sentence(body)}"[:400])


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:300]


def _sentence(body: Any) -> str:
    """The first sentence for people in what a server says of an error."""
    if isinstance(body, dict):
        errors: Any = body.get("validation_errors")
        parts: Iterable[Any] = (
            errors.values() if isinstance(errors, dict) and errors else [body.get("detail") or next(iter(body.values()), "")]
        )
        return "; ".join(_sentence(one) for one in parts)[:300]
    if isinstance(body, list):
        return "; ".join(_sentence(one) for one in body)[:300]
    return str(body or "")[:300]
