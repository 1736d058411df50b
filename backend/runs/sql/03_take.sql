-- What a worker needs to run a claimed step, in one value. Three parts, so that a claim builds it of the row it has just written.
CREATE OR REPLACE FUNCTION ledger_payload(p_step uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ledger_claimed(s, i.inputs, ledger_devices(s.id, s.queue))
    FROM runs_steprun s CROSS JOIN LATERAL ledger_inputs(CASE WHEN s.shard IS NULL THEN s.id ELSE s.parent_id END) i(inputs) WHERE s.id = p_step
$$;

-- A shard or round takes the inputs of the step that made it, but for what it was given.
CREATE OR REPLACE FUNCTION ledger_claimed(s runs_steprun, p_inputs jsonb, p_devices jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'id', s.id, 'run', s.run_id, 'step', s.step, 'component', s.component, 'queue', s.queue, 'attempt', s.attempt,
    'failures', s.failures, 'max_attempts', s.max_attempts, 'timeout_s', s.timeout_s, 'parameters', s.parameters,
    'flow', s.flow, 'state', s.state, 'shard', s.shard, 'needs', s.needs, 'devices', p_devices,
    'inputs', coalesce(p_inputs, '{}'::jsonb) || coalesce(s.given, '{}'::jsonb))
$$;

-- What arrived at a step, {port: [artifact]}, in the order in which the wires were drawn; null where it has no inputs. One row: a set only
-- so that the planner can put its query into that of the caller.
CREATE OR REPLACE FUNCTION ledger_inputs(p_step uuid) RETURNS TABLE (inputs jsonb) LANGUAGE sql STABLE AS $$
  SELECT jsonb_object_agg(port, artifacts) FROM (
    SELECT i.port, jsonb_agg(jsonb_build_object(
             'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type,
             'inline', a.inline, 'metadata', o.metadata) ORDER BY i.position) AS artifacts
      FROM runs_stepinput i
      JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
      JOIN artifacts_artifact a ON a.id = o.artifact_id
     WHERE i.step_run_id = p_step
     GROUP BY i.port) per_port
$$;

CREATE OR REPLACE FUNCTION ledger_devices(p_step uuid, p_queue text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(l.device ORDER BY l.device) FROM runs_devicelease l WHERE l.step_run_id = p_step AND p_queue = 'gpu'
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
