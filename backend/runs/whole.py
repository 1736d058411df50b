"""A run with all its steps as the database itself writes it in JSON: the same answer as `queries.details` gives, for a run of ten thousand
steps, too. Read as rows, turned into objects, checked and written again, those took a second and a half of the web process, during which
it answered nobody else; as one text they take a fifth of it. What a step holds is said once more here, in SQL; a test compares the two."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from backend.core.errors import NotFound
from backend.core.models import Project, User
from backend.core.queries.rows import Columns, one
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

# Names and titles are looked up in one JSON object each, and outputs by their index: joins of them would hang on what the planner believes
# of a table that has just grown by ten thousand rows.
_WHOLE = """
WITH run AS MATERIALIZED (SELECT graph FROM runs_run WHERE id = %(run)s),
names AS (
  SELECT jsonb_object_agg(key, value->>'name') AS of FROM run, jsonb_each(graph->'steps') WHERE value->>'name' <> ''
), titles AS (
  SELECT coalesce(jsonb_object_agg(key, value->>'title') FILTER (WHERE value ? 'title'), '{}') || %(titles)s AS of
    FROM run, jsonb_each(coalesce(graph->'code', '{}') || coalesce(graph->'pipelines', '{}'))
), steps AS (
  SELECT s.*, coalesce((SELECT of FROM titles)->>s.component, s.component) AS title,
         coalesce((SELECT of FROM names)->>s.step, (SELECT of FROM titles)->>s.component, s.component) AS name,
         CASE WHEN s.status = 'waiting' THEN s.state->'question' END AS question, s.state->'decision' AS decision
    FROM runs_steprun s WHERE s.run_id = %(run)s AND s.shard IS NULL
)
SELECT (SELECT json_build_object('parameters', coalesce(graph->'parameters', '{}'),
                                 'steps', coalesce(graph->'steps', '{}'))::text FROM run),
       (SELECT coalesce(json_agg(json_build_object(
         'id', id, 'step', step, 'name', name, 'component', component, 'title', title, 'queue', queue, 'status', status,
         'skip_reason', skip_reason, 'attempt', attempt, 'max_attempts', max_attempts, 'progress', progress,
         'message', coalesce(nullif(message, ''), %(unmet)s->>id::text, ''), 'parameters', parameters, 'parent', parent_id,
         'undoes', undoes_id, 'shard', shard, 'ready_at', {ready_at}, 'started_at', {started_at}, 'finished_at', {finished_at},
         'shards', CASE WHEN children_total <> 0
                   THEN json_build_object('total', children_total, 'open', children_open, 'failed', children_failed) END,
         'question', CASE WHEN jsonb_typeof(question) = 'object' THEN (
                       SELECT jsonb_object_agg(key, value)
                         FROM jsonb_each(%(question)s || question || jsonb_build_object('until', {wait_until}))
                        WHERE key = ANY(%(in_question)s)) END,
         'decision', CASE WHEN jsonb_typeof(decision) = 'object' THEN (
                       SELECT jsonb_object_agg(key, value) FROM jsonb_each(%(decision)s || decision) WHERE %(decision)s ? key) END,
         'error', CASE WHEN jsonb_typeof(error) = 'object' THEN (
                    SELECT jsonb_object_agg(key, value) FROM jsonb_each(%(error)s || error) WHERE key = ANY(%(in_error)s)) END,
         'outputs', coalesce((
            SELECT json_agg(json_build_object('port', o.port, 'artifact', json_build_object(
                     'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type,
                     'metadata', CASE WHEN o.metadata IN ('{}', 'null') THEN a.metadata ELSE o.metadata END,
                     'created_at', {created_at})) ORDER BY o.port)
              FROM runs_stepoutput o JOIN artifacts_artifact a ON a.id = o.artifact_id WHERE o.step_run_id = steps.id), '[]')
       ) ORDER BY position, step), '[]')::text FROM steps)
"""


def _moment(column: str) -> str:
    """As pydantic writes it: always six places, so that the browser may compare two as text."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


for _name in ("ready_at", "started_at", "finished_at", "wait_until"):
    _WHOLE = _WHOLE.replace("{" + _name + "}", _moment(_name))
_WHOLE = _WHOLE.replace("{created_at}", _moment("a.created_at"))
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
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE, asked)
        graph, steps = cursor.fetchone()
    told = head.model_dump_json().removesuffix("}")
    return f'{told},"graph":{graph},"step_runs":{steps}}}'.encode()
