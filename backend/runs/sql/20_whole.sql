-- As pydantic writes a moment: always six places, so that a browser may compare two as text.
CREATE OR REPLACE FUNCTION ledger_moment(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- A run's graph and its steps as the HTTP API tells them, each as one text (`backend/runs/whole.py`; a test compares it with what is put together of
-- objects).
--   p_titles   {component: title}      p_unmet   {step run: why no host suits it}
--   p_question, p_decision, p_error   what their fields are where nothing is said; p_in_question, p_in_error: which fields there are
-- Names and titles are looked up in one JSON object each, and outputs by their index: joins of them would hang on what the planner believes
-- of a table that has just grown by ten thousand rows. Planned once a connection (which takes longer than the answer for a run of a few steps),
-- and so without a thought of how large the tables were then.
CREATE OR REPLACE FUNCTION ledger_whole(
  p_run uuid, p_titles jsonb, p_unmet jsonb, p_question jsonb, p_decision jsonb, p_error jsonb, p_in_question text[], p_in_error text[],
  OUT o_graph text, OUT o_steps text
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
BEGIN
  WITH run AS MATERIALIZED (SELECT graph FROM runs_run WHERE id = p_run),
  names AS (
    SELECT jsonb_object_agg(key, value->>'name') AS of FROM run, jsonb_each(graph->'steps') WHERE value->>'name' <> ''
  ), titles AS (
    SELECT coalesce(jsonb_object_agg(key, value->>'title') FILTER (WHERE value ? 'title'), '{}') || p_titles AS of
      FROM run, jsonb_each(coalesce(graph->'code', '{}') || coalesce(graph->'pipelines', '{}'))
  ), steps AS (
    SELECT s.*, coalesce((SELECT of FROM titles)->>s.component, s.component) AS title,
           coalesce((SELECT of FROM names)->>s.step, (SELECT of FROM titles)->>s.component, s.component) AS name,
           CASE WHEN s.status = 'waiting' THEN s.state->'question' END AS question, s.state->'decision' AS decision
      FROM runs_steprun s WHERE s.run_id = p_run AND s.shard IS NULL
  )
  SELECT (SELECT json_build_object('parameters', coalesce(graph->'parameters', '{}'),
                                   'steps', coalesce(graph->'steps', '{}'))::text FROM run),
         (SELECT coalesce(json_agg(json_build_object(
           'id', id, 'step', step, 'name', name, 'component', component, 'title', title, 'queue', queue, 'status', status,
           'skip_reason', skip_reason, 'attempt', attempt, 'max_attempts', max_attempts, 'progress', progress,
           'message', coalesce(nullif(message, ''), p_unmet->>id::text, ''), 'parameters', parameters, 'parent', parent_id,
           'undoes', undoes_id, 'shard', shard,
           'ready_at', ledger_moment(ready_at), 'started_at', ledger_moment(started_at), 'finished_at', ledger_moment(finished_at),
           'shards', CASE WHEN children_total <> 0
                     THEN json_build_object('total', children_total, 'open', children_open, 'failed', children_failed) END,
           'question', CASE WHEN jsonb_typeof(question) = 'object' THEN (
                         SELECT jsonb_object_agg(key, value)
                           FROM jsonb_each(p_question || question || jsonb_build_object('until', ledger_moment(wait_until)))
                          WHERE key = ANY(p_in_question)) END,
           'decision', CASE WHEN jsonb_typeof(decision) = 'object' THEN (
                         SELECT jsonb_object_agg(key, value) FROM jsonb_each(p_decision || decision) WHERE p_decision ? key) END,
           'error', CASE WHEN jsonb_typeof(error) = 'object' THEN (
                      SELECT jsonb_object_agg(key, value) FROM jsonb_each(p_error || error) WHERE key = ANY(p_in_error)) END,
           'outputs', coalesce((
              SELECT json_agg(json_build_object('port', o.port, 'artifact', json_build_object(
                       'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type,
                       'metadata', CASE WHEN o.metadata IN ('{}', 'null') THEN a.metadata ELSE o.metadata END,
                       'created_at', ledger_moment(a.created_at))) ORDER BY o.port)
                FROM runs_stepoutput o JOIN artifacts_artifact a ON a.id = o.artifact_id WHERE o.step_run_id = steps.id), '[]')
         ) ORDER BY position, step), '[]')::text FROM steps)
    INTO o_graph, o_steps;
END $$;
