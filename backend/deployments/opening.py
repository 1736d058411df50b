"""Suggestions when an item is opened: whoever manages a label schema names an endpoint or a registered model, and it is asked about each
item that a person opens, or has made ready, while they look. `queue.next_item` and submitting know nothing of it: the page asks for itself.

An answer is kept as a batch's is (`suggesting`), so everything that follows from suggestions follows from it too, but for a pass of
auto-accept: what somebody has open is theirs to say. Of an item that is held back nothing is kept; it is asked about all the same, so that
nobody can tell it by how fast the answer is or by what fails.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from backend.artifacts import aside
from backend.core.actions import audit
from backend.core.errors import HeadraceError, NotFound, TooManyRequests
from backend.core.models import Project, User
from backend.deployments import queries, suggesting, warm
from backend.deployments.asking import name_of
from backend.deployments.errors import CannotSuggest, NobodyAsked
from backend.deployments.models import AskOnOpening, Deployment, Endpoint
from backend.labeling.actions import order
from backend.labeling.actions.announce import schema_changed
from backend.labeling.actions.queue import refuse_opening
from backend.labeling.models import HeldBack, LabelSchema, QueueItem, Suggestion
from backend.labeling.queries.items import shown_suggestions
from backend.labeling.queries.schemas import newest_version
from backend.registry import queries as registry
from backend.registry.models import ModelVersion
from workers.sdk.labels.config import LabelControl

Json = dict[str, Any]
AT_ONCE = 4
"""Questions that this process has open at once; an endpoint batches them, and each may carry a picture."""
WAITING = 24
"""Items that may wait for one of these; the pages of so many people at once are answered within moments."""
EACH = 4
"""Requests of one person at once: their page asks about the item on screen and the next."""
PATIENCE_S = 20.0
CHOOSE = "Whoever manages the labels can choose another under “Suggestions by a model”."


def set_on_opening(request: Any, project: Project, schema: LabelSchema, user: User, endpoint: str | None, model: str | None) -> None:
    """Have an endpoint, or a registered model (`name`, `name@3`, `name@champion`), asked from now on. Raises CannotSuggest or NotFound."""
    whom = queries.find(project, endpoint) if endpoint is not None else registry.resolve(project, model or "")
    suggesting.suitable(whom, schema)
    if isinstance(whom, Endpoint):
        fields: Json = {"endpoint": whom, "model": ""}
    else:
        _, at, which = (model or "").partition("@")
        fields = {"endpoint": None, "model": f"{whom.model.slug}{at}{which}"}
    with transaction.atomic():
        before = _known(AskOnOpening.objects.select_for_update(of=("self",)).select_related("endpoint").filter(schema=schema).first())
        row, _ = AskOnOpening.objects.update_or_create(schema=schema, defaults={**fields, "set_by": user, "set_at": timezone.now()})
        after = _known(row)
        audit.record(request, "label_schema.ask_on_opening", _target(schema), before, after, project=project, details=after)
        schema_changed(schema)


def stop(request: Any, schema: LabelSchema) -> None:
    """Nobody is asked any more; what is suggested stays. Nothing happens where nobody was."""
    with transaction.atomic():
        gone, _ = AskOnOpening.objects.filter(schema=schema).delete()
        if gone:
            audit.record(request, "label_schema.stop_ask_on_opening", _target(schema), project=schema.project)
            schema_changed(schema)


def out(schema: LabelSchema) -> Json | None:
    """Who is asked, and which version would answer now, or why none would; None where nobody is asked."""
    setting = _setting(schema)
    if setting is None:
        return None
    answers, problem = None, ""
    try:
        _, _, answering = _now(setting)
        answers = name_of(answering)
    except HeadraceError as error:
        problem = f"{error} {error.hint}".strip()
    by = setting.endpoint.name if setting.endpoint else setting.model
    fields = {"endpoint": setting.endpoint.slug if setting.endpoint else None, "model": setting.model or None, "by": by}
    return {**fields, "answers": answers, "problem": problem, "set_by": setting.set_by, "set_at": setting.set_at}


def suggest(item: QueueItem, user: User) -> list[Json]:
    """What is suggested for an item that somebody opens; the model is asked where the version that would answer now has not yet.

    Raises what speaks against their labelling it; NobodyAsked, CannotSuggest, PredictorAway, PredictionRefused or ModelNotAsked; and
    TooManyRequests where as many are asked about as may be. What the model cannot answer has no suggestion."""
    schema = item.schema
    refuse_opening(item, user)
    setting = _setting(schema)
    if setting is None:
        raise NobodyAsked(schema=schema.name, hint="Whoever manages the labels can choose one under “Suggestions by a model”.")
    whom, control, answering = _now(setting)
    if not Suggestion.objects.filter(item=item, model_version__in=_names(whom, answering)).exists():
        asker = setting.set_by or schema.created_by or user
        turns.take(item.pk, user.pk, lambda: _ask(item, asker, whom, control, answering))
    return shown_suggestions(item)


def _setting(schema: LabelSchema) -> AskOnOpening | None:
    found: AskOnOpening | None = (
        AskOnOpening.objects.select_related("endpoint__project", "endpoint__split", "set_by").filter(schema=schema).first()
    )
    return found


def _now(setting: AskOnOpening) -> tuple[Endpoint | ModelVersion, LabelControl, ModelVersion]:
    """Who is asked, the question that they answer, and the model version that does; raises CannotSuggest."""
    schema = setting.schema
    whom: Endpoint | ModelVersion
    if setting.endpoint is not None:
        whom = setting.endpoint
        if whom.deleted_at is not None:
            raise CannotSuggest(by=whom.slug, why="the endpoint was deleted", hint=CHOOSE)
    else:
        try:
            whom = registry.resolve(schema.project, setting.model)
        except NotFound:
            raise CannotSuggest(by=setting.model, why="there is no such version of a model any more", hint=CHOOSE) from None
    control, answering = suggesting.suitable(whom, schema)
    return whom, control, answering


def _names(whom: Endpoint | ModelVersion, answering: ModelVersion) -> set[str]:
    """How suggestions are called of what would answer now: of an endpoint whose traffic is split each part may be it."""
    if isinstance(whom, ModelVersion):
        return {name_of(whom)}
    shares = queries.weights(whom)
    live = Deployment.objects.select_related("model_version__model").filter(endpoint=whom, status="live", pk__in=shares)
    return {f"{whom.slug}: {name_of(version)}" for version in (answering, *(row.model_version for row in live))}


def _ask(item: QueueItem, asker: User, whom: Endpoint | ModelVersion, control: LabelControl, answering: ModelVersion) -> None:
    """Ask about one item, and keep the answer."""
    asked = _instance(item, answering.manifest)
    if asked is None:
        return
    worded = newest_version(item.schema)
    aside.let_go()
    answers, version = warm.ask(whom, asker, [asked])
    made, family = suggesting.said(whom, control, [(item, asked)], answers, version)
    if not made:
        return
    with transaction.atomic():
        rows = QueueItem.objects.select_for_update(of=("self",), no_key=True).filter(pk=item.pk, removed=False)
        if rows.filter(Q(done__lt=F("wanted")) | Q(honeypot__isnull=False)).first() is None:
            return  # it was labelled meanwhile, and nobody would see it
        if newest_version(item.schema, again=True).pk != worded.pk or HeldBack.objects.filter(item=item).exists():
            return
        there = Suggestion.objects.filter(item=item, model_version__startswith=family)
        if there.filter(model_version=made[0].model_version).exists():
            return  # another process of the studio was asked for it too
        there.delete()
        Suggestion.objects.bulk_create(made)
        # The item is in somebody's hands: nobody's search begins anew for it, which with each item would make every search longer.
        order.suggested(item.schema, [item.pk], anew=False)


def _instance(item: QueueItem, manifest: Json) -> Json | None:
    """What a model is asked about an item; None where the item's row is not in the data (it waits for its first version)."""
    schema = item.schema
    if schema.dataset.modality == "images":
        return {"image": item.digest}
    columns = {column["name"]: column for column in manifest["input"]["columns"]}
    cuts = suggesting.cuts_of(columns)
    version = schema.dataset.versions.filter(status="frozen", number=schema.filled).first()  # the one whose rows have these positions
    if version is None:
        return None
    row = aside.ask(
        "read", "backend.labeling.rows:row_at", digest=version.data, index=item.position - 1, known=item.digest,
        texts=schema.dataset.modality == "text", variables=list(columns), whole=list(cuts),
    )  # fmt: skip
    return None if row is None else suggesting.asked_of(row, cuts)


def _known(row: AskOnOpening | None) -> Json | None:
    return row and {"endpoint": row.endpoint.slug if row.endpoint else None, "model": row.model or None}


def _target(schema: LabelSchema) -> tuple[str, Any, str]:
    return "label_schema", schema.pk, schema.slug


class Turns:
    """Who is asked for now, in this process: an item once, however many open it; a few at once, and a flood is refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._going: dict[int, Future[None]] = {}
        self._theirs: Counter[UUID] = Counter()

    def take(self, item: int, user: UUID, ask: Callable[[], None]) -> None:
        """Do `ask`, or wait for whoever does it for this item, and raise what it raised. Raises TooManyRequests."""
        with self._lock:
            going = self._going.get(item)
            if self._theirs[user] >= EACH or (going is None and len(self._going) >= AT_ONCE + WAITING):
                raise _too_many()
            self._theirs[user] += 1
            mine = going is None
            if going is None:
                going = self._going[item] = Future()
        try:
            if not mine:
                aside.let_go()
                try:
                    going.result(timeout=warm.PATIENCE_S + PATIENCE_S)
                except TimeoutError:
                    raise _too_many() from None
                return
            try:
                self._in_turn(ask)
            except BaseException as error:
                going.set_exception(error)
                raise
            going.set_result(None)
        finally:
            with self._lock:
                self._theirs[user] -= 1
                if self._theirs[user] <= 0:
                    del self._theirs[user]
                if mine:
                    del self._going[item]

    def _in_turn(self, ask: Callable[[], None]) -> None:
        if not self._room.acquire(blocking=False):
            aside.let_go()
            if not self._room.acquire(timeout=PATIENCE_S):
                raise _too_many()
        try:
            ask()
        finally:
            self._room.release()


def _too_many() -> TooManyRequests:
    return TooManyRequests(message="A model is asked about too many items at once.", retry_after=2)


turns = Turns()
