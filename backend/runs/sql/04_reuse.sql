-- The name of a step's result by the bytes of its inputs, which are all there. One row: a set only so that the planner can put its query into
-- that of the caller.
CREATE OR REPLACE FUNCTION ledger_content_key(p_step uuid, p_component text, p_version text, p_parameters jsonb) RETURNS TABLE (key text) LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(
    p_component || chr(10) || p_version || chr(10) || p_parameters::text || chr(10) || coalesce(
      string_agg(i.port || ' ' || i.position || ' ' || a.kind || ' ' || a.digest || ' ' || o.metadata::text, chr(10) ORDER BY i.port COLLATE "C", i.position), ''), 'UTF8')), 'hex')
    FROM runs_stepinput i
    JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
    JOIN artifacts_artifact a ON a.id = o.artifact_id
   WHERE i.step_run_id = p_step
$$;

-- The same for a step that may have been given inputs by the one that made it, and that is mapped or repeated perhaps. Equal to the
-- plain key where it was not.
CREATE OR REPLACE FUNCTION ledger_dynamic_key(p_step uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN NOT s.cacheable THEN ''
              WHEN s.parent_id IS NULL AND s.flow IS NULL THEN (SELECT key FROM ledger_content_key(s.id, s.component, s.component_version, s.parameters))
              ELSE encode(sha256(convert_to(
                (SELECT key FROM ledger_content_key(CASE WHEN s.shard IS NULL THEN s.id ELSE s.parent_id END, s.component, s.component_version, s.parameters))
                || chr(10) || coalesce((s.flow - 'undo' - 'retry_on')::text, '')
                || coalesce((SELECT string_agg(chr(10) || g.key || ' ' || r.n || ' ' || (r.one ->> 'kind') || ' ' || (r.one ->> 'digest') || ' ' || (r.one ->> 'metadata'),
                                               '' ORDER BY g.key COLLATE "C", r.n)
                               FROM jsonb_each(s.given) g CROSS JOIN LATERAL jsonb_array_elements(g.value) WITH ORDINALITY r(one, n)), ''), 'UTF8')), 'hex') END
    FROM runs_steprun s WHERE s.id = p_step
$$;

-- The last step run of the project that has its result by this content key.
CREATE OR REPLACE FUNCTION ledger_known(p_project uuid, p_key text) RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
  SELECT h.id FROM runs_steprun h
   WHERE h.project_id = p_project AND h.content_key = p_key AND h.content_key > '' AND h.status = 'succeeded' AND h.cacheable
   ORDER BY h.finished_at DESC LIMIT 1
$$;

-- Of steps that are ready, those with whose content key an earlier step run of the project succeeded, and that step run. This is the early
-- cut-off: a changed step that gave the same bytes as before lets everything after it be found here.
CREATE OR REPLACE FUNCTION ledger_reusable(p_project uuid, p_ids uuid[], OUT steps uuid[], OUT sources uuid[]) LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(s.id), '{}'), coalesce(array_agg(hit.id), '{}')
    FROM runs_steprun s CROSS JOIN LATERAL ledger_known(p_project, s.content_key) hit
   WHERE s.id = ANY (p_ids) AND s.cacheable AND NOT s.fresh AND s.attempt = 0
$$;

-- These steps are skipped ('cached') and share the outputs of the ones beside them.
CREATE OR REPLACE FUNCTION ledger_reuse(p_steps uuid[], p_sources uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE runs_steprun
     SET status = 'skipped', skip_reason = 'cached', progress = 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
   WHERE id = ANY (p_steps);
  SELECT ledger_share(p_steps, p_sources)
$$;

-- Writes which steps these wait for still (`p_left` each); those that wait for none are ready from now on, by the name of their content.
CREATE OR REPLACE FUNCTION ledger_unblock(p_ids uuid[], p_left int[], p_keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE runs_steprun s SET blocked_by = f.n, ready_at = CASE WHEN f.n = 0 THEN clock_timestamp() END, content_key = f.key
    FROM unnest(p_ids, p_left, p_keys) AS f(id, n, key) WHERE s.id = f.id;
END $$;

-- Gives each step run the outputs of the one beside it in the other list.
CREATE OR REPLACE FUNCTION ledger_share(p_steps uuid[], p_sources uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata)
  SELECT t.step, o.port, o.artifact_id, o.metadata
    FROM unnest(p_steps, p_sources) AS t(step, source) JOIN runs_stepoutput o ON o.step_run_id = t.source
$$;

-- Lineage of what these steps, which have ended, took and gave. Written at the end of a step that took a while; for quick ones together, with
-- what is brought in beside the steps or at the end of the run: a row at a time it would cost as much as the rest of a step.
-- Each step is looked up by itself (OFFSET 0 keeps the planner from joining whole tables).
CREATE OR REPLACE FUNCTION ledger_lineage(p_steps uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO artifacts_lineageedge (project_id, source_type, source_id, target_type, target_id, relation, created_at)
  SELECT e.*, clock_timestamp() FROM unnest(p_steps) AS t(id) CROSS JOIN LATERAL (
    SELECT s.project_id, 'step_run', s.id, 'artifact', o.artifact_id, CASE s.status WHEN 'skipped' THEN 'reused' ELSE 'produced' END
      FROM runs_steprun s JOIN runs_stepoutput o ON o.step_run_id = s.id
     WHERE s.id = t.id
    UNION ALL
    SELECT s.project_id, 'artifact', o.artifact_id, 'step_run', s.id, 'used'
      FROM runs_steprun s JOIN runs_stepinput i ON i.step_run_id = s.id
      JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
     WHERE s.id = t.id AND s.status = 'succeeded'
    UNION ALL
    SELECT s.project_id, 'artifact', (g.one ->> 'id')::uuid, 'step_run', s.id, 'used'
      FROM runs_steprun s CROSS JOIN LATERAL jsonb_path_query(s.given, '$.*[*]') g(one)
     WHERE s.id = t.id AND s.status = 'succeeded' AND s.given IS NOT NULL AND g.one ? 'id'
    OFFSET 0) e
  ON CONFLICT DO NOTHING
$$;

-- Steps of a run of whose outputs the lineage does not tell yet. Looked up one by one: NOT EXISTS would be a join that reads the whole lineage.
CREATE OR REPLACE FUNCTION ledger_untold(p_run uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
  SELECT array_agg(s.id) FROM runs_steprun s
   WHERE s.run_id = p_run AND (SELECT e.id FROM artifacts_lineageedge e WHERE e.source_type = 'step_run' AND e.source_id = s.id LIMIT 1) IS NULL
$$;

-- The headline numbers of a run from its steps' outputs of kind Metrics (not from those of shards and of steps inside steps). Where two steps give the same name, the first by
-- step name keeps the plain one and the others are found as step.name.
CREATE OR REPLACE FUNCTION ledger_metrics(p_run uuid) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE runs_run SET metrics = coalesce((
    SELECT jsonb_object_agg(CASE WHEN place = 1 THEN name ELSE step || '.' || name END, number) FROM (
      SELECT s.step, v.key AS name, CASE jsonb_typeof(v.value) WHEN 'object' THEN v.value -> 'value' ELSE v.value END AS number,
             row_number() OVER (PARTITION BY v.key ORDER BY s.step COLLATE "C", o.port COLLATE "C") AS place
        FROM runs_steprun s JOIN runs_stepoutput o ON o.step_run_id = s.id
        JOIN artifacts_artifact a ON a.id = o.artifact_id AND a.kind = 'Metrics'
        CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(coalesce(a.inline, o.metadata) -> 'values') = 'object'
                                           THEN coalesce(a.inline, o.metadata) -> 'values' ELSE '{}'::jsonb END) v
       WHERE s.run_id = p_run AND s.parent_id IS NULL) named
     WHERE jsonb_typeof(number) = 'number'), '{}'::jsonb)
   WHERE id = p_run
$$;
