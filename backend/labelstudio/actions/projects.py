"""Label schemas as a script makes and changes them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q

from backend.core.actions import audit
from backend.core.errors import InvalidInput, NotAllowed, NotFound
from backend.core.models import ApiToken, Membership, Project, User
from backend.core.permissions import may
from backend.core.queries.slugs import unique_slug
from backend.datasets.actions.announce import dataset_changed
from backend.datasets.models import Dataset
from backend.labeling.actions.schemas import delete_schema, keep_schema, read_xml, set_schema, word_anew
from backend.labeling.errors import BadSchema, as_problems
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import newest_wording
from backend.labelstudio.actions.files import MODALITY
from backend.labelstudio.actions.telling import tell
from backend.labelstudio.errors import SeveralProjects
from backend.labelstudio.models import Counterpart
from backend.labelstudio.queries.shapes import SETTINGS
from backend.labelstudio.queries.subjects import counterpart_of
from workers.sdk.labels.config import FILES, LabelConfig

KEPT = frozenset(SETTINGS)
ORDERS = {"Uniform sampling": "random", "Sequential sampling": "sequential", "Uncertainty sampling": "uncertain"}
NEEDED = ("label.manage", "dataset.write")


def home_of(user: User, token: ApiToken, name: Any = None) -> Project:
    """Where a project that a script makes belongs: the token's project, or the one that `name` (a slug) names, or the only one in which its
    owner may. Raises what a person must change."""
    rows = Membership.objects.select_related("project").filter(user=user, project__archived_at=None)
    if token.project_id is not None or token.step_run is not None:
        rows = rows.filter(project=token.project_id)
    if isinstance(name, str) and name:
        rows = rows.filter(project__slug=name)
    found = list(rows.order_by("created_at"))
    able = [m for m in found if all(may(m.role, action) for action in NEEDED)]
    if not found:
        raise NotFound(what="project for this token", name=str(name or ""))
    if not able:
        raise NotAllowed(role=found[0].role, action=NEEDED[0])
    if len(able) > 1:
        raise SeveralProjects(hint="Use a token that is bound to one project, or name it: workspace=“its address”.")
    return able[0].project


def config_of(xml: Any) -> LabelConfig:
    """What an XML asks for; raises BadSchema."""
    if not isinstance(xml, str) or not xml.strip():
        raise BadSchema(field="label_config", hint="Send the XML of the label config.")
    config, problems = read_xml(xml, last_word=True)
    if config is None:
        said = [{**p, "field": "label_config", "message": f"{p['field']}: {p['message']}"} for p in problems]
        raise BadSchema(field="label_config", problems=as_problems(said))
    tags = {o.tag for o in config.objects}
    if tags & FILES and len(config.objects) > 1:
        raise BadSchema(field="label_config", hint="Show one picture, sound, video or PDF, or texts only.")
    return config


def make_project(request: Any, project: Project, user: User, fields: dict[str, Any]) -> LabelSchema:
    """A label schema with a data set of its own, which is empty; what is imported fills it."""
    title = _title(fields.get("title", "New project"))
    config = config_of(fields.get("label_config") or "")
    overlap = _overlap(fields.get("maximum_annotations", 1))
    with transaction.atomic():
        dataset = Dataset.objects.create(
            project=project, slug=unique_slug(Dataset.objects.filter(project=project), title, "tasks"), name=title,
            modality=next((MODALITY[o.tag] for o in config.objects if o.tag in FILES), "table"),
            source="tasks imported over Label Studio's API", created_by=user,
        )  # fmt: skip
        schema = keep_schema(
            request, dataset, config, user,
            {"name": title, "xml": fields["label_config"], "guidelines": str(fields.get("expert_instruction") or ""), "overlap": overlap,
             "review_share": 0, "together": "apart", "order": ORDERS.get(fields.get("sampling") or "", "sequential")},
        )  # fmt: skip
        LabelSchema.objects.filter(pk=schema.pk).update(fill_status="ready")
        Counterpart.objects.create(schema=schema, owned=True, settings=_settings(fields))
        audit.record(request, "dataset.create", ("dataset", dataset.pk, dataset.slug), project=project)
        dataset_changed(project, dataset.slug)
        tell(schema, "PROJECT_CREATED")
    return schema


def change_project(request: Any, schema: LabelSchema, user: User, fields: dict[str, Any]) -> LabelSchema:
    """All or nothing, as far as what is said fits."""
    project = schema.project
    changed: dict[str, Any] = {}
    if "title" in fields:
        changed["name"] = _title(fields["title"])
    if "maximum_annotations" in fields:
        changed["overlap"] = _overlap(fields["maximum_annotations"])
    if fields.get("sampling") in ORDERS:
        changed["order"] = ORDERS[fields["sampling"]]
    newest = newest_wording(schema)
    xml = fields.get("label_config", newest.xml)
    guidelines = str(fields.get("expert_instruction", newest.guidelines) or "")
    if xml != newest.xml:
        config_of(xml)
    with transaction.atomic():
        if changed:
            set_schema(request, project, schema.slug, changed)
        if (xml, guidelines) != (newest.xml, newest.guidelines):
            word_anew(request, project, user, schema.slug, xml=xml, guidelines=guidelines, base=newest.number, mapping={})
        if settings := _settings(fields):
            counterpart = Counterpart.objects.select_for_update().get(pk=counterpart_of(schema).pk)
            counterpart.settings = counterpart.settings | settings
            counterpart.save(update_fields=["settings"])
        tell(schema, "PROJECT_UPDATED")
    return LabelSchema.objects.select_related("project", "dataset", "created_by").get(pk=schema.pk)


def remove_project(request: Any, schema: LabelSchema) -> None:
    """As deleting in the browser: it can be restored there, with its data set."""
    with transaction.atomic():
        tell(schema, "PROJECT_DELETED")
        delete_schema(request, schema.project, schema.slug)


def mine(user: User, token: ApiToken) -> Q:
    """The label schemas that a token reaches."""
    reach = Q(project__memberships__user=user, project__archived_at=None, deleted_at=None)
    return reach & Q(project=token.project_id) if token.project_id or token.step_run else reach


def _title(text: Any) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > 120:
        raise InvalidInput(message="A title has 1 to 120 characters.", field="title")
    return text.strip()


def _overlap(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 100:
        raise InvalidInput(message="From 1 to 100 people label a task.", field="maximum_annotations")
    return number


def _settings(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in KEPT}
