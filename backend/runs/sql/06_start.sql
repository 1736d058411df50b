-- Starts a run: numbers it, looks the whole graph up in the cache with one query, inserts its step runs with the count of
-- steps each waits for, and makes the first ones ready.
--   p_run     {id, project_id, name, pipeline_version_id, graph, parameters, values, use_cache, rerun_of, started_by, priority, sample}
--   p_steps   [{id, step, component, component_version, queue, parameters, max_attempts, timeout_s, cacheable, cache_key, flow, needs, partial, fresh,
--             look, source, skip}], in running order; `fresh`: run it in any case, `look` false: not to be looked up by its cache key,
--             `source`: take what that step run gave, whatever it was; `skip`: do not run it, for this reason (with what `source` gave, or nothing)
--   p_inputs  [{step_run, port, position, source, output, need}]
--   p_edges   [{source_type, source_id, target_type, target_id, relation}]: lineage that only the start knows
--   p_entry   the row of the audit log that tells of it, without the run's number
-- All that a start writes is written here, so who starts a run needs no transaction around it, each end of which is a way to the database.
CREATE OR REPLACE FUNCTION ledger_start(p_run jsonb, p_steps jsonb, p_inputs jsonb, p_wakes int, p_edges jsonb DEFAULT '[]', p_entry jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid := (p_run ->> 'id')::uuid;
  v_project uuid := (p_run ->> 'project_id')::uuid;
  v_use_cache boolean := (p_run ->> 'use_cache')::boolean;
  v_now timestamptz := clock_timestamp();
  v_number int;
  v_dynamic boolean;
  v_known boolean;
  v_chosen boolean;
  v_hits uuid[] := '{}';
  v_sources uuid[] := '{}';
  v_front uuid[];
  v_events jsonb[] := '{}';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('headrace run number'), hashtext(v_project::text));
  SELECT coalesce(max(number), 0) + 1 INTO v_number FROM runs_run WHERE project_id = v_project;
  SELECT coalesce(bool_or(nullif(s.flow, 'null') IS NOT NULL OR s.partial), false), v_use_cache AND bool_or(s.cacheable AND s.cache_key <> ''),
         bool_or(s.source IS NOT NULL OR s.skip IS NOT NULL)
    INTO v_dynamic, v_known, v_chosen
    FROM jsonb_to_recordset(p_steps) AS s(flow jsonb, partial boolean, cacheable boolean, cache_key text, source uuid, skip text);
  INSERT INTO runs_run (id, project_id, number, name, pipeline_version_id, graph, parameters, values, status, steps_total, steps_done, cancel_requested,
                        use_cache, dynamic, undoing, metrics, rerun_of_id, started_by_id, created_at, priority, limited, sample)
  VALUES (v_id, v_project, v_number, p_run ->> 'name', (p_run ->> 'pipeline_version_id')::uuid, p_run -> 'graph', p_run -> 'parameters',
          coalesce(p_run -> 'values', '{}'), 'queued', jsonb_array_length(p_steps), 0, false, v_use_cache, v_dynamic, false, '{}',
          (p_run ->> 'rerun_of')::uuid, (p_run ->> 'started_by')::uuid, v_now, coalesce((p_run ->> 'priority')::int, 1),
          EXISTS (SELECT 1 FROM runs_projectlimits WHERE project_id = v_project), nullif(p_run -> 'sample', 'null'));

  IF v_known THEN
    SELECT coalesce(array_agg(s.id), '{}'), coalesce(array_agg(hit.id), '{}') INTO v_hits, v_sources
      FROM jsonb_to_recordset(p_steps) AS s(id uuid, cacheable boolean, cache_key text, fresh boolean, look boolean, source uuid, skip text)
      CROSS JOIN LATERAL (
        SELECT h.id FROM runs_steprun h
         WHERE h.project_id = v_project AND h.cache_key = s.cache_key AND h.cache_key > '' AND h.status = 'succeeded' AND h.cacheable
         ORDER BY h.finished_at DESC LIMIT 1) hit
     WHERE s.cacheable AND s.cache_key <> '' AND s.fresh IS NOT TRUE AND s.look IS NOT FALSE AND s.source IS NULL AND s.skip IS NULL;
  END IF;
  IF v_chosen THEN
    SELECT v_hits || coalesce(array_agg(s.id), '{}'), v_sources || coalesce(array_agg(s.source), '{}') INTO v_hits, v_sources
      FROM jsonb_to_recordset(p_steps) AS s(id uuid, source uuid, skip text) WHERE s.source IS NOT NULL OR s.skip IS NOT NULL;
  END IF;

  -- A step that waits for nothing has no inputs: what its content is called is known already.
  WITH made AS (
    INSERT INTO runs_steprun (id, project_id, run_id, step, position, component, component_version, queue, parameters, status, skip_reason,
                              blocked_by, attempt, failures, losses, max_attempts, timeout_s, cacheable, cache_key, content_key, progress,
                              message, batch, worker, started_at, finished_at, flow, needs, fresh, ready_at)
    SELECT s.id, v_project, v_id, s.step, s.n, s.component, s.component_version, s.queue, s.parameters,
           CASE WHEN h.id IS NULL THEN 'queued' ELSE 'skipped' END, CASE WHEN h.id IS NULL THEN '' WHEN s.skip IS NOT NULL THEN s.skip WHEN s.source IS NOT NULL THEN 'reused' ELSE 'cached' END,
           CASE WHEN h.id IS NULL THEN coalesce(b.waits, 0) ELSE 0 END, 0, 0, 0, s.max_attempts, s.timeout_s, s.cacheable, s.cache_key,
           CASE WHEN h.id IS NULL AND b.waits IS NULL AND s.cacheable AND nullif(s.flow, 'null') IS NULL
                THEN (SELECT key FROM ledger_content_key(NULL, s.component, s.component_version, s.parameters)) ELSE '' END,
           CASE WHEN h.id IS NULL THEN 0 ELSE 1 END, '', 0, '', CASE WHEN h.id IS NOT NULL THEN v_now END, CASE WHEN h.id IS NOT NULL THEN v_now END,
           nullif(s.flow, 'null'), nullif(s.needs, 'null'), coalesce(s.fresh, false), CASE WHEN h.id IS NULL AND b.waits IS NULL THEN v_now END
      FROM ROWS FROM (jsonb_to_recordset(p_steps) AS (id uuid, step text, component text, component_version text, queue text, parameters jsonb,
                                                      max_attempts int, timeout_s int, cacheable boolean, cache_key text, flow jsonb, needs jsonb, fresh boolean,
                                                      source uuid, skip text))
           WITH ORDINALITY AS s(id, step, component, component_version, queue, parameters, max_attempts, timeout_s, cacheable, cache_key, flow, needs, fresh,
                                source, skip, n)
      LEFT JOIN unnest(v_hits) AS h(id) ON h.id = s.id
      LEFT JOIN (SELECT i.step_run, count(DISTINCT i.source)::int AS waits
                   FROM jsonb_to_recordset(p_inputs) AS i(step_run uuid, source uuid) GROUP BY i.step_run) b ON b.step_run = s.id
    RETURNING id, position, status, blocked_by)
  SELECT coalesce(array_agg(id ORDER BY position), '{}') INTO v_front FROM made WHERE status = 'queued' AND blocked_by = 0;
  INSERT INTO runs_stepinput (step_run_id, port, position, source_id, output, need)
  SELECT i.step_run, i.port, i.position, i.source, i.output, coalesce(i.need, 'all')
    FROM jsonb_to_recordset(p_inputs) AS i(step_run uuid, port text, position int, source uuid, output text, need text);

  INSERT INTO artifacts_lineageedge (project_id, source_type, source_id, target_type, target_id, relation, created_at)
  SELECT v_project, e.source_type, e.source_id, e.target_type, e.target_id, e.relation, v_now
    FROM jsonb_to_recordset(p_edges) AS e(source_type text, source_id uuid, target_type text, target_id uuid, relation text)
  ON CONFLICT DO NOTHING;

  IF v_dynamic THEN
    UPDATE runs_steprun SET content_key = ledger_dynamic_key(id) WHERE id = ANY (v_front) AND flow IS NOT NULL AND cacheable;
  END IF;
  IF cardinality(v_hits) > 0 THEN
    PERFORM ledger_share(v_hits, v_sources);
    PERFORM ledger_metrics(v_id);
  END IF;
  IF p_entry IS NOT NULL THEN
    INSERT INTO core_auditentry (at, project_id, actor_id, actor_label, token_id, step_run_id, action, target_type, target_id, target_label, ip, user_agent,
                                 before_digest, after_digest, details)
    SELECT e.at, e.project_id, e.actor_id, e.actor_label, e.token_id, e.step_run_id, e.action, e.target_type, e.target_id, 'run ' || v_number, e.ip, e.user_agent,
           e.before_digest, e.after_digest, e.details || jsonb_build_object('number', v_number)
      FROM jsonb_populate_record(NULL::core_auditentry, p_entry) e;
  END IF;
  IF cardinality(v_hits) < jsonb_array_length(p_steps) THEN
    v_events := ARRAY[jsonb_build_object('type', 'run_changed', 'run', v_id, 'status', 'queued', 'steps_done', cardinality(v_hits), 'progress', 0)];
  END IF;
  RETURN ledger_settle(v_id, v_hits, v_front, '', '', false, p_wakes, v_events) || jsonb_build_object('number', v_number, 'reused', cardinality(v_hits));
END $$;
