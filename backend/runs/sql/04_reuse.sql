-- The name of a step's result by the bytes of its inputs; empty for a step that may not be reused. Its inputs are all there.
CREATE OR REPLACE FUNCTION ledger_content_key(p_step uuid, p_component text, p_version text, p_parameters jsonb) RETURNS text LANGUAGE sql STABLE AS $$
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
              WHEN s.parent_id IS NULL AND s.flow IS NULL THEN ledger_content_key(s.id, s.component, s.component_version, s.parameters)
              ELSE encode(sha256(convert_to(
                ledger_content_key(CASE WHEN s.shard IS NULL THEN s.id ELSE s.parent_id END, s.component, s.component_version, s.parameters)
                || chr(10) || coalesce((s.flow - 'undo' - 'retry_on')::text, '')
                || coalesce((SELECT string_agg(chr(10) || g.key || ' ' || r.n || ' ' || (r.one ->> 'kind') || ' ' || (r.one ->> 'digest') || ' ' || (r.one ->> 'metadata'),
                                               '' ORDER BY g.key COLLATE "C", r.n)
                               FROM jsonb_each(s.given) g CROSS JOIN LATERAL jsonb_array_elements(g.value) WITH ORDINALITY r(one, n)), ''), 'UTF8')), 'hex') END
    FROM runs_steprun s WHERE s.id = p_step
$$;

-- Takes these steps off the counts of those that wait for them; returns which wait for nothing any more. Those are ready from now on.
CREATE OR REPLACE FUNCTION ledger_unblock(p_ids uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_front uuid[];
BEGIN
  WITH freed AS (
    UPDATE runs_steprun s
       SET blocked_by = s.blocked_by - d.n,
           ready_at = CASE WHEN s.blocked_by = d.n THEN clock_timestamp() END,
           content_key = CASE WHEN s.blocked_by = d.n AND s.cacheable THEN ledger_content_key(s.id, s.component, s.component_version, s.parameters) ELSE '' END
      FROM (SELECT i.step_run_id, count(DISTINCT i.source_id)::int AS n FROM runs_stepinput i WHERE i.source_id = ANY (p_ids) GROUP BY i.step_run_id) d
     WHERE s.id = d.step_run_id AND s.status = 'queued'
    RETURNING s.id, s.blocked_by, s.position
  )
  SELECT coalesce(array_agg(id ORDER BY position) FILTER (WHERE blocked_by = 0), '{}') INTO v_front FROM freed;
  RETURN v_front;
END $$;

-- Of steps that have just become ready, those with whose content key an earlier step run of the project succeeded: they are
-- skipped ('cached') and share its outputs. Returns their ids. This is the early cut-off: a changed step that gave the same
-- bytes as before lets everything after it be found here.
CREATE OR REPLACE FUNCTION ledger_reuse(p_project uuid, p_ids uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_steps uuid[];
  v_sources uuid[];
BEGIN
  SELECT array_agg(s.id), array_agg(hit.id) INTO v_steps, v_sources
    FROM runs_steprun s
    CROSS JOIN LATERAL (
      SELECT h.id FROM runs_steprun h
       WHERE h.project_id = p_project AND h.content_key = s.content_key AND h.status = 'succeeded' AND h.cacheable
       ORDER BY h.finished_at DESC LIMIT 1) hit
   WHERE s.id = ANY (p_ids) AND s.cacheable AND NOT s.fresh AND s.attempt = 0;
  IF v_steps IS NULL THEN
    RETURN '{}';
  END IF;
  UPDATE runs_steprun
     SET status = 'skipped', skip_reason = 'cached', progress = 1, started_at = clock_timestamp(), finished_at = clock_timestamp()
   WHERE id = ANY (v_steps);
  PERFORM ledger_share(v_steps, v_sources);
  RETURN v_steps;
END $$;

-- Gives each step run the outputs of the one beside it in the other list.
CREATE OR REPLACE FUNCTION ledger_share(p_steps uuid[], p_sources uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata)
  SELECT t.step, o.port, o.artifact_id, o.metadata
    FROM unnest(p_steps, p_sources) AS t(step, source) JOIN runs_stepoutput o ON o.step_run_id = t.source
$$;

-- Lineage of a run's artifacts: of one step, or (p_step null) of all that have ended. Written at the end of a step that took a
-- while, for quick ones together at the end of the run: a row at a time it would cost as much as the rest of a step.
CREATE OR REPLACE FUNCTION ledger_lineage(p_run uuid, p_step uuid) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO artifacts_lineageedge (project_id, source_type, source_id, target_type, target_id, relation, created_at)
  SELECT DISTINCT s.project_id, 'step_run', s.id, 'artifact', o.artifact_id, CASE s.status WHEN 'skipped' THEN 'reused' ELSE 'produced' END, clock_timestamp()
    FROM runs_steprun s JOIN runs_stepoutput o ON o.step_run_id = s.id
   WHERE s.run_id = p_run AND (p_step IS NULL OR s.id = p_step)
  UNION ALL
  SELECT DISTINCT s.project_id, 'artifact', o.artifact_id, 'step_run', s.id, 'used', clock_timestamp()
    FROM runs_steprun s JOIN runs_stepinput i ON i.step_run_id = s.id
    JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
   WHERE s.run_id = p_run AND (p_step IS NULL OR s.id = p_step) AND s.status = 'succeeded'
  UNION ALL
  SELECT DISTINCT s.project_id, 'artifact', (g.one ->> 'id')::uuid, 'step_run', s.id, 'used', clock_timestamp()
    FROM runs_steprun s CROSS JOIN LATERAL jsonb_path_query(s.given, '$.*[*]') g(one)
   WHERE s.run_id = p_run AND (p_step IS NULL OR s.id = p_step) AND s.status = 'succeeded' AND s.given IS NOT NULL AND g.one ? 'id'
  ON CONFLICT DO NOTHING
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
