"""A run with all its steps as the database itself writes it in JSON: the same answer as `queries.details` gives, for a run of ten thousand
steps, too. Read as rows, turned into objects, checked and written again, those took a second and a half of the web process, during which
it answered nobody else; as one text they take a fifth of it. What a step holds is said once more here, in SQL; a test compares the two."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from backend.core.errors import NotFound
from backend.core.models import Project, User
from backend.core.queries.rows import Columns, one, prepared
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs import hosts
from backend.runs.models import Run
from backend.runs.queries import summary
from backend.runs.schemas import DecisionOut, QuestionOut, RunHead, StepError
from workers import catalog

_HEAD = Columns(r=Run, v=PipelineVersion, p=Pipeline, u=User, without=["r.graph", "v.graph", "p.draft"])
# One statement, written once, where query sets would be four: a run of a few steps is answered in half of the time. `starters`, and the
# steps that must be asked about a host, are said once more here.
_ABOUT = f"""
SELECT {_HEAD.sql},
       (SELECT coalesce(max(e.id), 0) FROM runs_runevent e WHERE e.run_id = r.id),
       (SELECT json_build_object('event', e.id, 'slug', t.slug, 'name', t.name, 'kind', t.kind, 'source', e.source)::text
          FROM runs_triggerevent e JOIN runs_trigger t ON t.id = e.trigger_id WHERE e.run_id = r.id AND e.status = 'started' LIMIT 1),
       ARRAY(SELECT s.id FROM runs_steprun s WHERE s.run_id = r.id AND s.shard IS NULL AND s.status = 'queued' AND s.blocked_by = 0
                                               AND NOT (s.needs IS NULL AND s.queue IN ('io', 'cpu')))
  FROM runs_run r JOIN pipelines_pipelineversion v ON v.id = r.pipeline_version_id JOIN pipelines_pipeline p ON p.id = v.pipeline_id
  LEFT JOIN core_user u ON u.id = r.started_by_id
 WHERE r.id = %s AND r.project_id = %s
"""  # noqa: S608 - our own column names only

_WHOLE = """
SELECT o_graph, o_steps FROM ledger_whole(
  %(run)s::uuid, %(titles)s::jsonb, %(unmet)s::jsonb, %(question)s::jsonb, %(decision)s::jsonb, %(error)s::jsonb, %(in_question)s::text[],
  %(in_error)s::text[])
"""
_QUESTION, _DECISION, _ERROR = (
    {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items() if not field.is_required()}
    for model in (QuestionOut, DecisionOut, StepError)
)


def whole(project: Project, run_id: UUID) -> bytes:
    """A `RunOut` in JSON. The newest event's number is read with the run: what happens meanwhile is heard of again, never missed. Then, at
    one moment, its steps and what these gave: of a run that is over, everything is there."""
    row = one(_ABOUT, [run_id, project.pk])
    if row is None:
        raise NotFound(what="run", name=run_id)
    run, run.pipeline_version, run.pipeline_version.pipeline, run.started_by, last, starter, placed = _HEAD.read(row)
    head = RunHead.model_validate({
        **summary(run), "parameters": run.parameters, "values": run.values, "undoing": run.undoing, "rerun_of": run.rerun_of_id,
        "trigger": json.loads(starter) if starter else None, "last_event": last,
    })  # fmt: skip
    asked: dict[str, Any] = {
        "run": run.pk, "titles": Jsonb({name: known.title for name, known in catalog.load().components.items()}),
        "unmet": Jsonb({str(pk): sentence for pk, sentence in hosts.unmet(placed).items()}), "question": Jsonb(_QUESTION),
        "decision": Jsonb(_DECISION), "error": Jsonb(_ERROR), "in_question": list(QuestionOut.model_fields),
        "in_error": list(StepError.model_fields),
    }  # fmt: skip
    with prepared() as cursor:
        cursor.execute(_WHOLE, asked)
        graph, steps = cursor.fetchone()
    told = head.model_dump_json().removesuffix("}")
    return f'{told},"graph":{graph},"step_runs":{steps}}}'.encode()
