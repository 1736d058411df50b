-- Gives a ready step to a worker: a new attempt begins. Returns all that the worker needs to run it.
-- The caller holds the run's row lock and has seen that the step may be taken.
CREATE OR REPLACE FUNCTION ledger_take(p_step uuid, p_worker text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  WITH taken AS (
    UPDATE runs_steprun
       SET status = 'running', attempt = attempt + 1, worker = p_worker, heartbeat_at = clock_timestamp(),
           started_at = clock_timestamp(), finished_at = NULL, progress = 0, message = '', batch = 0
     WHERE id = p_step
    RETURNING id, attempt
  )
  INSERT INTO runs_attempt (step_run_id, number, status, worker, started_at)
  SELECT id, attempt, 'running', p_worker, clock_timestamp() FROM taken;
  SELECT ledger_payload(p_step)
$$;

-- What a worker needs to run a claimed step, in one value. Inputs keep the order in which the wires were drawn. A shard or round takes
-- the inputs of the step that made it, but for what it was given.
CREATE OR REPLACE FUNCTION ledger_payload(p_step uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'id', s.id, 'run', s.run_id, 'step', s.step, 'component', s.component, 'queue', s.queue, 'attempt', s.attempt,
    'failures', s.failures, 'max_attempts', s.max_attempts, 'timeout_s', s.timeout_s, 'parameters', s.parameters,
    'flow', s.flow, 'state', s.state, 'shard', s.shard, 'needs', s.needs,
    'devices', CASE WHEN s.queue = 'gpu' THEN (SELECT jsonb_agg(l.device ORDER BY l.device) FROM runs_devicelease l WHERE l.step_run_id = s.id) END,
    'inputs', coalesce((
      SELECT jsonb_object_agg(port, artifacts) FROM (
        SELECT i.port, jsonb_agg(jsonb_build_object(
                 'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type,
                 'inline', a.inline, 'metadata', o.metadata) ORDER BY i.position) AS artifacts
          FROM runs_stepinput i
          JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
          JOIN artifacts_artifact a ON a.id = o.artifact_id
         WHERE i.step_run_id = CASE WHEN s.shard IS NULL THEN s.id ELSE s.parent_id END
         GROUP BY i.port) per_port), '{}'::jsonb) || coalesce(s.given, '{}'::jsonb))
    FROM runs_steprun s WHERE s.id = p_step
$$;

-- What does not change during a run; a worker asks for it with its first step of the run only.
CREATE OR REPLACE FUNCTION ledger_run_info(p_run uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'run', r.id, 'number', r.number, 'name', r.name, 'project_id', r.project_id, 'project', p.slug,
    'pipeline', l.slug, 'pipeline_version', v.number, 'sample', r.sample)
    FROM runs_run r JOIN core_project p ON p.id = r.project_id
    JOIN pipelines_pipelineversion v ON v.id = r.pipeline_version_id JOIN pipelines_pipeline l ON l.id = v.pipeline_id
   WHERE r.id = p_run
$$;
