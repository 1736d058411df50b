-- Steps that have just become unblocked: gives each its content key and, where the run may use the cache, finds an
-- earlier step run with the same one. Found steps are skipped ('cached') and share its outputs. Returns their ids.
-- This is the early cut-off: a changed step that gave the same bytes as before lets everything after it be found here.
CREATE OR REPLACE FUNCTION ledger_reuse(p_project uuid, p_ids uuid[], p_use_cache boolean) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_steps uuid[];
  v_sources uuid[];
BEGIN
  UPDATE runs_steprun s
     SET ready_at = clock_timestamp(),
         content_key = CASE WHEN NOT s.cacheable THEN '' ELSE encode(sha256(convert_to(
           s.component || chr(10) || s.component_version || chr(10) || s.parameters::text || chr(10) || coalesce((
             SELECT string_agg(i.port || ' ' || i.position || ' ' || a.kind || ' ' || a.digest || ' ' || o.metadata::text, chr(10) ORDER BY i.port COLLATE "C", i.position)
               FROM runs_stepinput i
               JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
               JOIN artifacts_artifact a ON a.id = o.artifact_id
              WHERE i.step_run_id = s.id), ''), 'UTF8')), 'hex') END
   WHERE s.id = ANY (p_ids);
  IF NOT p_use_cache THEN
    RETURN '{}';
  END IF;
  SELECT array_agg(s.id), array_agg(hit.id) INTO v_steps, v_sources
    FROM runs_steprun s
    CROSS JOIN LATERAL (
      SELECT h.id FROM runs_steprun h
       WHERE h.project_id = p_project AND h.content_key = s.content_key AND h.status = 'succeeded' AND h.cacheable
       ORDER BY h.finished_at DESC LIMIT 1) hit
   WHERE s.id = ANY (p_ids) AND s.cacheable;
  IF v_steps IS NULL THEN
    RETURN '{}';
  END IF;
  UPDATE runs_steprun
     SET status = 'skipped', skip_reason = 'cached', progress = 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
   WHERE id = ANY (v_steps);
  PERFORM ledger_share(p_project, v_steps, v_sources);
  RETURN v_steps;
END $$;

-- Gives each step run the outputs of the one beside it in the other list.
CREATE OR REPLACE FUNCTION ledger_share(p_project uuid, p_steps uuid[], p_sources uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  WITH shared AS (
    INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata)
    SELECT t.step, o.port, o.artifact_id, o.metadata
      FROM unnest(p_steps, p_sources) AS t(step, source) JOIN runs_stepoutput o ON o.step_run_id = t.source
    RETURNING step_run_id, artifact_id
  )
  INSERT INTO artifacts_lineageedge (project_id, source_type, source_id, target_type, target_id, relation, created_at)
  SELECT DISTINCT p_project, 'step_run', step_run_id, 'artifact', artifact_id, 'reused', clock_timestamp() FROM shared
  ON CONFLICT DO NOTHING
$$;

-- The headline numbers of a run from its outputs of kind Metrics. Where two steps give the same name, the first by
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
       WHERE s.run_id = p_run) named
     WHERE jsonb_typeof(number) = 'number'), '{}'::jsonb)
   WHERE id = p_run
$$;
