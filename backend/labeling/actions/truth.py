"""What the ground truth of an item is.

One annotator: theirs, once a reviewer has accepted it, or at once where none shall look. Several: when all have submitted and every
review is done, as the schema's `truth_by` says:

- `agree`: the annotation that agrees best with the others, if each pair agrees at least `enough`;
- `majority`: what `workers.sdk.labels.consensus` fuses of them, if its support is at least `enough`;
- `skill`: the same, by what the last measurement (`actions.measure`) knows of each annotator.

A suggestion that became a label (`how` is `model`, see `actions.auto_accept`) holds until people have said as much as is wanted.

Else the item waits for a reviewer who looks at them side by side (`adjudicate`), the fused result among them. A decision of a person is
never overturned by this. A fused result is an annotation without an author, so that whatever reads annotations and truths reads it too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from backend.core.actions import audit
from backend.core.errors import NotFound
from backend.core.models import User
from backend.labeling.actions import auto_accept
from backend.labeling.errors import OwnWork
from backend.labeling.models import Annotation, LabelSchema, Measurement, QueueItem, Review, Skill
from backend.labeling.queries.items import took_part, wording
from backend.labeling.queries.schemas import Newest, newest_version
from workers.sdk.labels.agreement import agreement
from workers.sdk.labels.config import LabelConfig
from workers.sdk.labels.consensus import Fused, Voice, fuse

if TYPE_CHECKING:
    from workers.sdk.labels.consensus.dawid_skene import Floats

UNKNOWN = 0.7
"""Weight of an annotator of whom nothing is measured yet, where others are."""


class Crowd:
    """What is known of the annotators of a schema; of nobody, where it makes no use of skill."""

    def __init__(self, schema: LabelSchema, config: LabelConfig, people: set[UUID]) -> None:
        self.weights: dict[UUID, dict[str, float]] = defaultdict(dict)
        self.confusions: dict[UUID, dict[str, Floats]] = defaultdict(dict)
        self.priors: dict[str, Floats] = {}
        if schema.truth_by != "skill":
            return
        import numpy as np  # here: the web process, which settles most items alone, is smaller without it

        labels = {c.name: [label.value for label in c.labels] for c in config.controls}
        for skill in Skill.objects.filter(schema=schema, user__in=people):
            self.weights[skill.user_id][skill.control] = skill.weight
            if skill.confusion and skill.confusion["labels"] == labels.get(skill.control):
                self.confusions[skill.user_id][skill.control] = np.array(skill.confusion["rows"])
        priors = Measurement.objects.filter(schema=schema).values_list("priors", flat=True).first() or {}
        self.priors = {name: np.array(p["shares"]) for name, p in priors.items() if p["labels"] == labels.get(name)}
        unknown = dict.fromkeys(labels, UNKNOWN) if self.weights else {}
        self.weights = defaultdict(dict, {person: {**unknown, **self.weights.get(person, {})} for person in people})

    def voice(self, said: Annotation) -> Voice:
        if said.author_id is None:
            return Voice(result=said.result)
        return Voice(result=said.result, weights=self.weights[said.author_id], confusions=self.confusions[said.author_id])


def settle(item_id: int) -> None:
    """Decide, or undo what no longer holds. The caller is in a transaction."""
    item = QueueItem.objects.select_for_update(of=("self",)).select_related("schema").get(pk=item_id)
    settle_all(item.schema, [item])


def settle_alone(item_id: int, annotation: UUID | str | None) -> None:
    """As `settle`, for the only annotation that an item shall have, when it is submitted; None if it waits for a reviewer."""
    if annotation is not None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE labeling_queueitem SET truth_id = %s WHERE id = %s", [annotation, item_id])


def settle_all(schema: LabelSchema, items: Sequence[QueueItem]) -> int:
    """As `settle`, of many items in a handful of statements; the caller has locked them. Returns how many have another truth now."""
    worded = newest_version(schema)
    config = wording(worded)
    said: dict[int, list[Annotation]] = defaultdict(list)
    before: dict[int, Annotation] = {}
    models: dict[int, Annotation] = {}
    for one in Annotation.objects.filter(item__in=[i.pk for i in items], honeypot=False).exclude(status="rejected").order_by("created_at"):
        if one.how == "model":
            models[one.item_id] = one
        elif one.how:
            before[one.item_id] = one
        else:
            said[one.item_id].append(one)
    truths = {i.truth_id for i in items if i.truth_id}
    decided = set(
        Review.objects.filter(annotation__in=truths, annotation__status="accepted", verdict="adjudicated").values_list(
            "annotation_id", flat=True
        )
    )
    crowd = Crowd(schema, config, {a.author_id for group in said.values() for a in group if a.author_id})
    fused: list[tuple[QueueItem, Fused]] = []
    gone: list[UUID] = []
    changed: list[QueueItem] = []
    for item in items:
        if item.truth_id in decided:
            continue
        group = said[item.pk]
        ripe = len(group) >= item.wanted and not any(a.to_review and a.status == "submitted" for a in group)
        if item.pk in models and not ripe:
            continue
        if item.pk in models:
            gone.append(models[item.pk].pk)
        mixed = ripe and len(group) > 1 and schema.truth_by != "agree"
        if mixed:
            fused.append((item, fuse(config, [crowd.voice(a) for a in group], priors=crowd.priors)))
            continue
        if item.pk in before:
            gone.append(before[item.pk].pk)
        chosen = _best(schema, config, group) if ripe else None
        if item.truth_id != chosen:
            item.truth_id = chosen
            changed.append(item)
    Annotation.objects.filter(pk__in=gone).delete()  # before a fused result takes the place of a model's
    kept = _keep(schema, worded, fused, before)
    for item, result in fused:
        chosen = kept[item.pk] if result.support >= schema.enough else None
        if item.truth_id != chosen:
            item.truth_id = chosen
            changed.append(item)
    QueueItem.objects.bulk_update(changed, ["truth"], batch_size=500)
    return len(changed)


def _best(schema: LabelSchema, config: LabelConfig, said: list[Annotation]) -> UUID | None:
    if len(said) == 1:
        return said[0].pk
    scores = {(a.pk, b.pk): agreement(config, a.result, b.result) for a in said for b in said if a.pk != b.pk}
    if not scores or schema.truth_by != "agree" or min(scores.values()) < schema.enough:
        return None
    return max(said, key=lambda a: sum(score for (one, _), score in scores.items() if one == a.pk)).pk


def _keep(schema: LabelSchema, worded: Newest, fused: Sequence[tuple[QueueItem, Fused]], before: dict[int, Annotation]) -> dict[int, UUID]:
    """Write the fused results that are new or other than before; returns the annotation of each item."""
    now = timezone.now()
    made, other, kept = [], [], {}
    for item, result in fused:
        row = before.get(item.pk)
        if row is None:
            row = Annotation(item=item, schema=schema, created_at=now)
            made.append(row)
        elif (row.result, row.how, row.schema_version_id) != (result.result, schema.truth_by, worded.pk) or row.support != result.support:
            row.version += row.result != result.result
            other.append(row)
        kept[item.pk] = row.pk
        row.result, row.support, row.how, row.schema_version_id, row.status, row.updated_at = (
            result.result, result.support, schema.truth_by, worded.pk, "accepted" if result.support >= schema.enough else "submitted", now,
        )  # fmt: skip
    Annotation.objects.bulk_create(made, batch_size=500)
    fields = ["result", "support", "how", "schema_version", "status", "updated_at", "version"]
    Annotation.objects.bulk_update(other, fields, batch_size=500)
    return kept


def adjudicate(request: Any, item: QueueItem, user: User, annotation: UUID, comment: str) -> Annotation:
    """A reviewer chooses one of an item's annotations as its ground truth, whatever the others say."""
    with transaction.atomic():
        row = QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        chosen = Annotation.objects.select_related("author").filter(item=row, pk=annotation).first()
        if chosen is None:
            raise NotFound(what="annotation of this item", name=str(annotation))
        if took_part(chosen, user):
            raise OwnWork(field="annotation", hint="Ask another reviewer.")
        decided(request, item, chosen, user, comment)
    return chosen


def decided(request: Any, item: QueueItem, chosen: Annotation, by: User | None, comment: str) -> None:
    """As `adjudicate`, by whomever (None: by a person of another tool, which does not say who). The caller is in a transaction."""
    chosen.status, chosen.updated_at = "accepted", timezone.now()
    chosen.save(update_fields=["status", "updated_at"])
    Review.objects.create(annotation=chosen, reviewer=by, verdict="adjudicated", comment=comment, version=chosen.version)
    QueueItem.objects.filter(pk=item.pk).update(truth=chosen)
    audit.record(
        request, "annotation.adjudicate", ("annotation", chosen.pk, f"{item.schema.slug} {item.key}"), after=chosen.result,
        project=item.schema.project,
    )  # fmt: skip
    auto_accept.audited(item.schema, item.pk)


def release(request: Any, item: QueueItem, annotation: UUID) -> bool:
    """Take a person's decision back: what the schema's rules say holds again. Returns whether the annotation is no longer the truth."""
    with transaction.atomic():
        row = QueueItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
        chosen = Annotation.objects.filter(item=row, pk=annotation).first()
        if chosen is None or row.truth_id != chosen.pk:
            return True
        if not Review.objects.filter(annotation=chosen, verdict="adjudicated").exists():
            return False
        chosen.status, chosen.updated_at = "submitted", timezone.now()
        chosen.save(update_fields=["status", "updated_at"])
        audit.record(
            request, "annotation.release", ("annotation", chosen.pk, f"{item.schema.slug} {item.key}"), before=chosen.result,
            project=item.schema.project,
        )  # fmt: skip
        settle(item.pk)
        return not QueueItem.objects.filter(pk=item.pk, truth=chosen).exists()
