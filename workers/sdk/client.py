"""The studio's HTTP API as Python, used by steps and by the command line: one method a verb, JSON in and out.

    client = Client("http://localhost:8000", token="hr_…", project="demo")
    client.upload("adult.csv", name="Adult")
    run = client.start_run("income")
    client.wait_for_run(run["id"])

Answers are the plain JSON objects that `/api/v1/openapi.json` describes. Raises `ApiError` for every answer that is an error, and
`Unreachable` when there is no answer. Requests that are safe to repeat are repeated when the studio is briefly away; writes are
repeated only under an idempotency key (steps have one).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from workers.sdk.http import ApiError, Http, Json, Unreachable, error_of

CHUNK = 8 * 1024 * 1024
__all__ = ["ApiError", "Client", "Json", "Unreachable"]
FINISHED = {"succeeded", "failed", "cancelled", "skipped"}


class Client(Http):
    """One method a verb; see the module."""

    # -- people and projects ----------------------------------------------------------------------------------------

    def me(self) -> Json:
        return self._dict("GET", "/me")

    def list_projects(self) -> list[Json]:
        return self._list("GET", "/projects")

    def create_project(self, name: str, slug: str | None = None, description: str = "") -> Json:
        return self._dict("POST", "/projects", json={"name": name, "slug": slug, "description": description})

    # -- data sets --------------------------------------------------------------------------------------------------

    def list_datasets(self, project: str | None = None) -> Iterator[Json]:
        return self._pages(self._p(project) + "/datasets")

    def get_dataset(self, dataset: str, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/datasets/{quote(dataset, safe='')}")

    def update_dataset(self, dataset: str, project: str | None = None, **fields: Any) -> Json:
        return self._dict("PATCH", f"{self._p(project)}/datasets/{quote(dataset, safe='')}", json=fields)

    def get_manifest(self, dataset: str, version: int, project: str | None = None) -> Json:
        """Where a frozen version lies in the store: `{digest, kind, columns, label_column, …}`."""
        return self._dict("GET", f"{self._p(project)}/datasets/{quote(dataset, safe='')}/versions/{version}/manifest")

    def upload(
        self, path: Path | str, *, name: str | None = None, dataset: str | None = None, mode: str = "replace", options: Json | None = None,
        project: str | None = None, progress: Callable[[float, str], None] | None = None,
    ) -> Json:  # fmt: skip
        """Upload a file and wait until the studio has read it; returns the finished upload. A broken connection goes on where it
        stopped. Raises ApiError with the problems found in the file."""
        source = Path(path)
        base = self._p(project) + "/uploads"
        size = source.stat().st_size
        upload = self._dict(
            "POST",
            base,
            json={"filename": source.name, "size": size, "name": name, "dataset": dataset, "mode": mode, "options": options or {}},
        )
        here = f"{base}/{upload['id']}"
        with source.open("rb") as stream:
            while upload["received"] < size:
                stream.seek(upload["received"])
                try:
                    upload = self._dict("PUT", here + "/chunks", params={"offset": upload["received"]}, content=stream.read(CHUNK))
                except ApiError as error:
                    if error.status != 409:
                        raise
                    # A repeated chunk had already arrived.
                    upload = self._dict("GET", here)
                if progress:
                    progress(0.5 * upload["received"] / max(size, 1), "sending")
        upload = self._dict("POST", here + "/complete")
        pause = 0.1
        while upload["status"] in ("receiving", "processing"):
            time.sleep(pause)
            pause = min(pause * 1.5, 1)
            upload = self._dict("GET", here)
            if progress:
                progress(0.5 + 0.5 * upload["progress"], upload["message"])
        if upload["status"] != "ready":
            raise ApiError(
                422, "upload_failed", upload["message"] or f"The file {source.name} could not be read.", problems=upload["problems"]
            )
        return upload

    def wait_for_version(self, dataset: str, version: int, project: str | None = None) -> Json:
        """The version once it is frozen. Raises ApiError with what kept it from being so."""
        here, pause = f"{self._p(project)}/datasets/{quote(dataset, safe='')}/versions/{version}", 0.1
        while (found := self._dict("GET", here))["status"] == "freezing":
            time.sleep(pause)
            pause = min(pause * 1.5, 1)
        if found["status"] != "frozen":
            message = f"Version {version} of {dataset} could not be frozen."
            raise ApiError(422, "not_frozen", message, "Correct its types, then freeze it.", problems=found["problems"])
        return found

    def list_changes(
        self,
        dataset: str,
        since: int,
        version: int,
        *,
        kind: str | None = None,
        limit: int = 200,
        offset: int = 0,
        project: str | None = None,
    ) -> Json:
        """What version `version` says differently from version `since`: `ChangesOut`, with up to 200 items or rows from `offset` on."""
        here = f"{self._p(project)}/datasets/{quote(dataset, safe='')}/versions/{version}/changes"
        asked = {"since": since, "limit": limit, "offset": offset, **({"kind": kind} if kind else {})}
        return self._dict("GET", here, params=asked)

    # -- labels -----------------------------------------------------------------------------------------------------

    def list_label_schemas(self, project: str | None = None) -> list[Json]:
        return self._list("GET", self._p(project) + "/label-schemas")

    def check_export(self, schema: str, format: str, what: str = "annotations", project: str | None = None) -> Json:
        """How much an export would hold, and what its format has no place for."""
        path = f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/export/check"
        return self._dict("GET", path, params={"format": format, "what": what})

    def export_labels(
        self, schema: str, to: IO[bytes], *, format: str, what: str = "annotations", images: bool = False, project: str | None = None
    ) -> int:
        """Write an export into an open file, piece by piece; returns the bytes."""
        path = f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/export"
        written = 0
        with self._http.stream("GET", path, params={"format": format, "what": what, "images": images}) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise error_of(answer)
            for piece in answer.iter_bytes():
                written += to.write(piece)
        return written

    def import_labels(self, schema: str, path: Path | str, *, format: str, apply: bool = True, project: str | None = None) -> Json:
        """Bring a file of labels, have it checked and, with `apply`, keep what fits; returns the import with its report. Raises ApiError
        with the problems of a file that cannot be read."""
        source = Path(path)
        base = f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/imports"
        size = source.stat().st_size
        found = self._dict("POST", base, json={"filename": source.name, "size": size, "format": format})
        here = f"{base}/{found['id']}"
        with source.open("rb") as stream:
            for offset in range(0, size, CHUNK):
                self._dict("PUT", here + "/chunks", params={"offset": offset}, content=stream.read(CHUNK))
        for verb in ("check", "apply") if apply else ("check",):
            found, pause = self._dict("POST", f"{here}/{verb}"), 0.1
            while found["status"] in ("queued", "running"):
                time.sleep(pause)
                pause = min(pause * 1.5, 1)
                found = self._dict("GET", here)
            if found["status"] == "failed":
                raise ApiError(422, "import_failed", found["message"], "Nothing was imported.", problems=found["problems"])
        return found

    # -- embeddings and what lies near ------------------------------------------------------------------------------

    def list_spaces(self, dataset: str, project: str | None = None) -> Json:
        """Its embeddings and what could be computed: `SpacesOut`."""
        return self._dict("GET", f"{self._p(project)}/datasets/{quote(dataset, safe='')}/spaces")

    def compute_space(
        self, dataset: str, embedder: str, *, project: str | None = None, progress: Callable[[float, str], None] | None = None, **given: str
    ) -> Json:
        """Embed the newest frozen version and wait for it; `given` is a model, checkpoint or column, as the embedder needs. Raises ApiError
        with what went wrong."""
        base = f"{self._p(project)}/datasets/{quote(dataset, safe='')}/spaces"
        found, pause = self._dict("POST", base, json={"embedder": embedder, **given}), 0.1
        while found["status"] in ("queued", "running"):
            time.sleep(pause)
            pause = min(pause * 1.5, 1)
            found = self._dict("GET", f"{base}/{found['id']}")
            if progress:
                progress(0.9 * found["done"] / max(found["total"], 1), found["stage"])
        if found["status"] != "ready":
            raise ApiError(422, "not_computed", found["message"] or f"Computing was {found['status']}.")
        return found

    def find_near(self, dataset: str, space: str, *, limit: int = 20, project: str | None = None, **asked: Any) -> list[Json]:
        """The nearest to a content (`like`: its digest), an `item` of a `label_schema` or words (`text`); `state` and `label` filter."""
        path = f"{self._p(project)}/datasets/{quote(dataset, safe='')}/spaces/{space}/near"
        return self._list("GET", path, params={"limit": limit, **asked})

    def label_items(self, schema: str, items: list[int], result: list[Json], schema_version: int, project: str | None = None) -> Json:
        """The same label for many items; `refused` of the answer says which were not labelled, and why."""
        path = f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/bulks"
        return self._dict("POST", path, json={"items": items, "result": result, "schema_version": schema_version})

    def undo_bulk(self, schema: str, bulk: str, project: str | None = None) -> Json:
        return self._dict("POST", f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/bulks/{bulk}/undo")

    def look_for_doubts(self, schema: str, project: str | None = None) -> list[Json]:
        """Labels that are probably wrong, the surest first (200 at most); waits for the look. Raises ApiError with why there is none."""
        here, pause = f"{self._p(project)}/label-schemas/{quote(schema, safe='')}/doubts", 0.1
        found = self._dict("POST", here, json={})
        while found["check"]["status"] in ("queued", "running"):
            time.sleep(pause)
            pause = min(pause * 1.5, 1)
            found = self._dict("GET", here)
        if found["check"]["status"] != "ready":
            raise ApiError(422, "not_checked", found["check"]["message"])
        return self._list("GET", f"{here}/list", params={"limit": 200})

    # -- demos ------------------------------------------------------------------------------------------------------

    def start_demo(self, demo: str, project: str | None = None) -> Json:
        """Bring a demo's data, make its pipeline and start it; follow with `get_demo`."""
        return self._dict("POST", f"{self._p(project)}/demos/{quote(demo, safe='')}")

    def get_demo(self, demo: str, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/demos/{demo}")

    # -- pipelines and runs -----------------------------------------------------------------------------------------

    def list_pipelines(self, project: str | None = None) -> Iterator[Json]:
        return self._pages(self._p(project) + "/pipelines")

    def list_templates(self, project: str | None = None) -> list[Json]:
        return self._list("GET", self._p(project) + "/templates")

    def create_pipeline(
        self,
        name: str,
        *,
        template: str | None = None,
        parameters: dict[str, Json] | None = None,
        yaml: str | None = None,
        graph: Json | None = None,
        project: str | None = None,
    ) -> Json:
        """`parameters`: values for steps of the template, by step."""
        body = {"name": name, "template": template, "parameters": parameters or {}, "yaml": yaml, "graph": graph}
        return self._dict("POST", self._p(project) + "/pipelines", json=body)

    def export_pipeline(self, pipeline: str, version: int | None = None, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/pipelines/{quote(pipeline, safe='')}/yaml", params={"version": version})

    def import_pipeline(self, yaml: str, slug: str | None = None, project: str | None = None) -> Json:
        return self._dict("POST", self._p(project) + "/pipelines/import", json={"yaml": yaml, "slug": slug})

    def start_run(
        self,
        pipeline: str,
        *,
        version: int | None = None,
        parameters: dict[str, Json] | None = None,
        name: str = "",
        use_cache: bool = True,
        priority: str = "normal",
        sample: Json | None = None,
        project: str | None = None,
    ) -> Json:
        body = {
            "pipeline": pipeline, "version": version, "parameters": parameters or {}, "name": name, "use_cache": use_cache,
            "priority": priority, "sample": sample,
        }  # fmt: skip
        return self._dict("POST", self._p(project) + "/runs", json=body)

    def list_runs(self, project: str | None = None, **filters: Any) -> Iterator[Json]:
        return self._pages(self._p(project) + "/runs", filters)

    def get_run(self, run: str, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/runs/{run}")

    def why(self, run: str, project: str | None = None) -> list[Json]:
        """Why steps of the run wait: `{step, why}` of each."""
        return self._list("GET", f"{self._p(project)}/runs/{run}/waits")

    def forecast(self, run: str, project: str | None = None) -> Json:
        """What a run's pipeline would take on all of its data."""
        return self._dict("GET", f"{self._p(project)}/runs/{run}/forecast")

    def set_priority(self, run: str, priority: str, project: str | None = None) -> Json:
        """Let a run that is under way go before others: low, normal, high or urgent."""
        return self._dict("PUT", f"{self._p(project)}/runs/{run}/priority", json={"priority": priority})

    def list_approvals(self, project: str | None = None) -> list[Json]:
        """What waits for an answer of yours."""
        return self._list("GET", self._p(project) + "/approvals")

    def decide(self, run: str, step: str, answer: str, values: Json | None = None, comment: str = "", project: str | None = None) -> Json:
        """Answer a step that waits for a person: approve or reject."""
        body = {"answer": answer, "values": values or {}, "comment": comment}
        return self._dict("POST", f"{self._p(project)}/runs/{run}/steps/{quote(step, safe='')}/decision", json=body)

    def cancel_run(self, run: str, project: str | None = None) -> Json:
        return self._dict("POST", f"{self._p(project)}/runs/{run}/cancel")

    def get_logs(self, run: str, after: int = 0, project: str | None = None, **filters: Any) -> Json:
        return self._dict("GET", f"{self._p(project)}/runs/{run}/logs", params={"after": after, **filters})

    def wait_for_run(self, run: str, project: str | None = None, progress: Callable[[Json], None] | None = None) -> Json:
        """The run once it has finished, however it ended."""
        pause = 0.2
        while True:
            state = self.get_run(run, project)
            if progress:
                progress(state)
            if state["status"] in FINISHED:
                return state
            time.sleep(pause)
            pause = min(pause * 1.3, 1)

    # -- triggers ---------------------------------------------------------------------------------------------------

    def list_triggers(self, project: str | None = None) -> list[Json]:
        return self._list("GET", self._p(project) + "/triggers")

    def create_trigger(self, fields: Json, project: str | None = None) -> Json:
        """Fields as `TriggerIn` in the API; a webhook's `secret` is in this answer only."""
        return self._dict("POST", self._p(project) + "/triggers", json=fields)

    def switch_trigger(self, trigger: str, enabled: bool, project: str | None = None) -> Json:
        return self._dict("POST", f"{self._p(project)}/triggers/{quote(trigger, safe='')}/{'enable' if enabled else 'disable'}")

    def fire_trigger(self, trigger: str, data: Any, project: str | None = None) -> Json:
        """Start its run now; returns the event with the run, or with the reason why there is none."""
        return self._dict("POST", f"{self._p(project)}/triggers/{quote(trigger, safe='')}/fire", json={"data": data}, key="fire")

    def list_trigger_events(self, trigger: str, project: str | None = None, **filters: Any) -> Iterator[Json]:
        return self._pages(f"{self._p(project)}/triggers/{quote(trigger, safe='')}/events", filters)

    def replay_trigger_event(self, trigger: str, event: str, project: str | None = None) -> Json:
        path = f"{self._p(project)}/triggers/{quote(trigger, safe='')}/events/{quote(event, safe='')}/replay"
        return self._dict("POST", path, key="replay")

    # -- models and endpoints ---------------------------------------------------------------------------------------

    def list_models(self, project: str | None = None) -> list[Json]:
        return self._list("GET", self._p(project) + "/models")

    def get_model(self, model: str, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/models/{quote(model, safe='')}")

    def set_alias(self, model: str, alias: str, version: int, project: str | None = None) -> Json:
        path = f"{self._p(project)}/models/{quote(model, safe='')}/aliases/{quote(alias, safe='')}"
        return self._dict("PUT", path, json={"version": version})

    def delete_alias(self, model: str, alias: str, project: str | None = None) -> Json:
        return self._dict("DELETE", f"{self._p(project)}/models/{quote(model, safe='')}/aliases/{quote(alias, safe='')}")

    def list_model_versions(self, model: str, project: str | None = None) -> list[Json]:
        return self._list("GET", f"{self._p(project)}/models/{quote(model, safe='')}/versions")

    def register_model(self, *, project: str | None = None, **fields: Any) -> Json:
        """Register a Model artifact; fields as `RegisterIn` in the API."""
        return self._dict("POST", self._p(project) + "/models", json=fields, key="register")

    def deploy(self, model: str, endpoint: str | None = None, name: str | None = None, project: str | None = None) -> Json:
        """Put `model`, `model@3` or `model@champion` behind an endpoint."""
        return self._dict("POST", self._p(project) + "/endpoints", json={"model": model, "endpoint": endpoint, "name": name}, key="deploy")

    def list_endpoints(self, project: str | None = None) -> list[Json]:
        return self._list("GET", self._p(project) + "/endpoints")

    def get_endpoint(self, endpoint: str, project: str | None = None) -> Json:
        return self._dict("GET", f"{self._p(project)}/endpoints/{quote(endpoint, safe='')}")

    def rollback(self, endpoint: str, project: str | None = None) -> Json:
        """Give the traffic back to the deployment that had it before."""
        return self._dict("POST", f"{self._p(project)}/endpoints/{quote(endpoint, safe='')}/rollback", json={})

    def delete_endpoint(self, endpoint: str, project: str | None = None) -> None:
        """Stop answering; it can be restored."""
        self.request("DELETE", f"{self._p(project)}/endpoints/{quote(endpoint, safe='')}")

    def predict(self, endpoint: str, instances: list[Json], project: str | None = None) -> Json:
        return self._dict("POST", f"{self._p(project)}/endpoints/{quote(endpoint, safe='')}/predict", json={"instances": instances})
