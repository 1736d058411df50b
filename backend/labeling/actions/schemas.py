"""Label schemas: made, worded anew, set, deleted and restored."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from backend.artifacts import aside
from backend.core.actions import audit
from backend.core.errors import InvalidInput
from backend.core.models import Project, User
from backend.core.queries.slugs import unique_slug
from backend.datasets.actions.announce import announce
from backend.datasets.models import Dataset
from backend.datasets.queries.datasets import find_dataset
from backend.labeling.actions.announce import FILL, schema_changed
from backend.labeling.actions.order import arrange
from backend.labeling.errors import BadSchema, DatasetDoesNotFit, NewerSchema, NoFrozenVersion, as_problems
from backend.labeling.models import LabelSchema, LabelSchemaVersion, QueueItem
from backend.labeling.queries.schemas import find_schema
from workers.sdk.labels.config import FILES, LabelConfig, from_json
from workers.sdk.labels.shown import ROW

SETTINGS = ("name", "overlap", "review_share", "together", "order")
HOLDS = {"table": "a table", "images": "images", "text": "texts", "audio": "sounds", "video": "videos", "document": "PDFs"}

SHOWN = {"images": "Image", "audio": "Audio", "video": "Video", "document": "Pdf"}
"""What shows the files of a data set that has files."""


def read_xml(xml: str, *, last_word: bool) -> tuple[LabelConfig | None, list[dict[str, Any]]]:
    """(What the XML asks for, or None; the problems with it). `last_word`: ask Label Studio's parser too, before it is kept."""
    found = aside.ask("read", "backend.labeling.schema_xml:read", xml=xml, last_word=last_word)
    return (from_json(found["config"]) if found["config"] else None), found["problems"]


def config_for(dataset: Dataset, xml: str) -> LabelConfig:
    """What the XML asks about this data set; raises BadSchema or DatasetDoesNotFit."""
    config, problems = read_xml(xml, last_word=True)
    if config is None:
        raise BadSchema(field="xml", problems=as_problems(problems), hint=problems[0]["message"] if problems else "")
    fits(dataset, config)
    return config


def fits(dataset: Dataset, config: LabelConfig) -> None:
    """Raises DatasetDoesNotFit or InvalidInput where a schema shows what the data set does not have."""
    tags = {o.tag for o in config.objects}
    shown = SHOWN.get(dataset.modality)
    if shown is not None:
        if tags != {shown} or len(config.objects) != 1:
            raise DatasetDoesNotFit(
                dataset=dataset.slug, modality=HOLDS[dataset.modality], asked=_asked(config), field="xml", hint=f"Show one <{shown}>."
            )
    elif tags & FILES:
        raise DatasetDoesNotFit(
            dataset=dataset.slug, modality=HOLDS[dataset.modality], asked=_asked(config), field="xml", hint="Show <Text>."
        )
    elif dataset.modality == "text" and (tags != {"Text"} or len(config.objects) != 1):
        raise DatasetDoesNotFit(dataset=dataset.slug, modality="texts", asked=_asked(config), field="xml", hint="Show one <Text>.")
    elif dataset.modality == "table":
        if not dataset.versions.exists():
            return  # tasks that a script will import; each is looked at then
        version = newest_frozen(dataset)
        types = {c["name"]: c["type"] for c in version.columns}
        for one in config.objects:
            if one.tag == "Table" and one.value == ROW and ROW not in types:
                continue  # the whole row
            if one.value not in types:
                raise InvalidInput(
                    message=f"The data set “{dataset.slug}” has no column “{one.value}”.", field="xml",
                    hint="Columns: " + ", ".join(list(types)[:30]),
                )  # fmt: skip
            if one.tag in ("List", "Table") and types[one.value] not in ("json", "text"):
                raise InvalidInput(
                    message=f"The column “{one.value}” holds no JSON, which <{one.tag}> shows.", field="xml",
                    hint=f'<Table value="${ROW}"/> shows a whole row.' if one.tag == "Table" else "A column with lists, as JSON.",
                )  # fmt: skip


def _asked(config: LabelConfig) -> str:
    return " and ".join(f"<{o.tag}>" for o in config.objects)


def newest_frozen(dataset: Dataset) -> Any:
    found = dataset.versions.filter(status="frozen").order_by("-number").first()
    if found is None:
        raise NoFrozenVersion(dataset=dataset.slug, field="dataset", hint="Freeze a version on the page of the data set.")
    return found


def make_schema(request: Any, project: Project, user: User, fields: dict[str, Any]) -> LabelSchema:
    """A label schema with its first wording; its queue is filled in the worker."""
    fields = _together(fields, "blind")
    _fits_together(fields["together"], fields["overlap"], 0)
    dataset = find_dataset(project, fields["dataset"])
    newest_frozen(dataset)
    config = config_for(dataset, fields["xml"])
    with transaction.atomic():
        schema = keep_schema(request, dataset, config, user, fields)
        announce(FILL, schema.pk)
    return schema


def keep_schema(request: Any, dataset: Dataset, config: LabelConfig, user: User, fields: dict[str, Any]) -> LabelSchema:
    """The rows of a label schema that was checked. The caller is in a transaction, and has its queue filled."""
    project = dataset.project
    with transaction.atomic():
        schema = LabelSchema.objects.create(
            project=project, dataset=dataset, name=fields["name"].strip(),
            slug=unique_slug(LabelSchema.objects.filter(project=project), fields["name"], "labels"),
            overlap=fields["overlap"], review_share=fields["review_share"], together=fields["together"], order=fields["order"],
            created_by=user,
        )  # fmt: skip
        LabelSchemaVersion.objects.create(
            schema=schema, number=1, xml=fields["xml"], config=config.as_json(), guidelines=fields["guidelines"], created_by=user
        )
        audit.record(request, "label_schema.create", _target(schema), after=audit.snapshot(schema, *SETTINGS))
        schema_changed(schema)
    return schema


def word_anew(
    request: Any, project: Project, user: User, slug: str, *, xml: str, guidelines: str, base: int, mapping: dict[str, dict[str, str]]
) -> LabelSchemaVersion:
    """The next wording, with what was said so far under it (`mapping`: see `wording.take_along`). `base` is the version that was changed:
    somebody else's newer one is not overwritten unseen."""
    from backend.labeling.actions.wording import take_along

    schema = find_schema(project, slug)
    config = config_for(schema.dataset, xml)
    with transaction.atomic():
        schema = find_schema(project, slug, lock=True)
        newest = schema.versions.order_by("-number").first()
        if newest is None or newest.number != base:
            raise NewerSchema(number=newest.number if newest else 0, field="base")
        if newest.xml == xml and newest.guidelines == guidelines:
            return newest
        renamed = take_along(schema, config, mapping)
        made = LabelSchemaVersion.objects.create(
            schema=schema, number=newest.number + 1, xml=xml, config=config.as_json(), guidelines=guidelines, created_by=user
        )
        audit.record(
            request, "label_schema.word", _target(schema), {"xml": newest.xml, "guidelines": newest.guidelines},
            {"xml": xml, "guidelines": guidelines}, details={"version": made.number, "mapping": mapping, "annotations": renamed},
        )  # fmt: skip
        if from_json(newest.config).variables != config.variables:
            refill(schema)
        schema_changed(schema)
    return made


def set_schema(request: Any, project: Project, slug: str, fields: dict[str, Any]) -> LabelSchema:
    """Change settings. Another overlap opens or closes places of items that are not complete; what is done stays."""
    with transaction.atomic():
        schema = find_schema(project, slug, lock=True)
        before = audit.snapshot(schema, *SETTINGS)
        for name, value in _together(fields, schema.together).items():
            setattr(schema, name, value.strip() if name == "name" else value)
        if not schema.name:
            raise InvalidInput(message="The name cannot be empty.", field="name")
        if schema.honeypot_share > 0 and schema.order == "sequential":
            raise InvalidInput(
                message="In the order of the data set a honeypot is noticed: it is out of order.", field="order",
                hint="Keep the order random, or set the share of honeypots to 0.",
            )  # fmt: skip
        _fits_together(schema.together, schema.overlap, schema.honeypot_share)
        schema.save()
        if schema.overlap != before["overlap"]:
            wanted = Greatest(Value(schema.overlap), F("done"))
            QueueItem.objects.filter(schema=schema).update(free=F("free") + wanted - F("wanted"), wanted=wanted)
        if schema.order != before["order"]:
            arrange(schema)
        audit.record(request, "label_schema.set", _target(schema), before, audit.snapshot(schema, *SETTINGS))
        schema_changed(schema)
    return schema


def _together(fields: dict[str, Any], before: str) -> dict[str, Any]:
    """The same settings, with `blind` said as `together`."""
    rest = {name: value for name, value in fields.items() if name not in ("blind", "together")}
    together, blind = fields.get("together"), fields.get("blind")
    if together is not None and blind is not None and blind != (together == "blind"):
        raise InvalidInput(message="`together` and `blind` say different things.", field="blind", hint="Leave `blind` out.")
    if together is None:
        together = before if blind is None else "blind" if blind else "apart" if before == "blind" else before
    return {**rest, "together": together}


def _fits_together(together: str, overlap: int, honeypots: float) -> None:
    """Of a shared draft comes one annotation, by all who took part: nothing in it says who knew what."""
    if together == "shared" and overlap > 1:
        raise InvalidInput(
            message=f"Together people make one annotation of each item, not {overlap}.",
            field="overlap",
            hint="Set the people for each item to 1.",
        )
    if together == "shared" and honeypots > 0:
        raise InvalidInput(
            message="Honeypots test each person, and here they work together.", field="together", hint="Set the share of honeypots to 0."
        )


def refill(schema: LabelSchema) -> None:
    """Have the queue filled from the data set's newest frozen version."""
    LabelSchema.objects.filter(pk=schema.pk).update(fill_status="queued", fill_message="", announced_at=timezone.now())
    announce(FILL, schema.pk)


def refill_now(request: Any, project: Project, slug: str) -> LabelSchema:
    """Asked for by a person: the data set has a newer version."""
    with transaction.atomic():
        schema = find_schema(project, slug, lock=True)
        newest_frozen(schema.dataset)
        refill(schema)
        audit.record(request, "label_schema.fill", _target(schema))
        schema_changed(schema)
    return schema


def delete_schema(request: Any, project: Project, slug: str) -> None:
    """Soft: annotations stay, `restore_schema` undoes it."""
    with transaction.atomic():
        schema = find_schema(project, slug, deleted=True, lock=True)
        if schema.deleted_at is None:
            schema.deleted_at = timezone.now()
            schema.save(update_fields=["deleted_at", "updated_at"])
            audit.record(request, "label_schema.delete", _target(schema))
            schema_changed(schema)


def restore_schema(request: Any, project: Project, slug: str) -> None:
    with transaction.atomic():
        schema = find_schema(project, slug, deleted=True, lock=True)
        if schema.deleted_at is not None:
            schema.deleted_at = None
            schema.save(update_fields=["deleted_at", "updated_at"])
            audit.record(request, "label_schema.restore", _target(schema))
            schema_changed(schema)


def _target(schema: LabelSchema) -> tuple[str, Any, str]:
    return "label_schema", schema.pk, schema.slug
