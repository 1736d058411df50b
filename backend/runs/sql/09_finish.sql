-- Locks the run of a step and checks the fence. `held` is true when a worker runs this attempt of the step now (the caller ends it: its
-- devices are free from here on); not while the step waits for others that it made. Otherwise `answer` is
-- what to tell the caller: it may be asking again after a lost answer, and then gets what the first asking gave.
CREATE OR REPLACE FUNCTION ledger_fence(p_step uuid, p_attempt int, p_worker text, OUT held boolean, OUT run uuid, OUT queue text, OUT answer jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  v_status text;
  v_attempt int;
  v_worker text;
  v_outcome text;
  v_next uuid;
BEGIN
  SELECT r.id INTO run FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id WHERE s.id = p_step FOR NO KEY UPDATE OF r;
  SELECT s.status, s.attempt, s.worker, s.queue INTO v_status, v_attempt, v_worker, queue FROM runs_steprun s WHERE s.id = p_step;
  held := v_attempt = p_attempt AND v_status = 'running' AND v_worker <> '';
  IF held AND queue = 'gpu' THEN
    DELETE FROM runs_devicelease WHERE step_run_id = p_step;
  END IF;
  IF held IS NOT TRUE THEN
    held := false;
    SELECT a.status INTO v_outcome FROM runs_attempt a WHERE a.step_run_id = p_step AND a.number = p_attempt AND a.worker = p_worker AND a.status <> 'running';
    IF v_outcome IS NOT NULL THEN
      SELECT s.id INTO v_next FROM runs_steprun s WHERE s.run_id = run AND s.worker = p_worker AND s.status = 'running' LIMIT 1;
    END IF;
    answer := jsonb_build_object('ok', coalesce(v_outcome IN ('succeeded', 'waiting'), false), 'repeated', v_outcome IS NOT NULL, 'run', run,
                                 'next', CASE WHEN v_next IS NOT NULL THEN ledger_payload(v_next) END, 'ready', '[]'::jsonb, 'events', '[]'::jsonb);
  END IF;
END $$;

-- The step succeeded: keep its outputs, free what waited for it, and hand the worker the next ready step of the run.
--   p_outputs  [{port, kind, digest, size, media_type, inline, metadata}]      p_used  {peak (bytes), rows}, what the attempt took
CREATE OR REPLACE FUNCTION ledger_finish(p_step uuid, p_attempt int, p_worker text, p_outputs jsonb, p_take boolean, p_wakes int, p_used jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_fence record;
  v_project uuid;
  v_step text;
  v_took interval;
BEGIN
  SELECT * INTO v_fence FROM ledger_fence(p_step, p_attempt, p_worker);
  IF NOT v_fence.held THEN
    RETURN v_fence.answer;
  END IF;
  UPDATE runs_steprun SET status = 'succeeded', progress = 1, error = NULL, finished_at = clock_timestamp() WHERE id = p_step
  RETURNING project_id, step, finished_at - started_at INTO v_project, v_step, v_took;
  UPDATE runs_attempt SET status = 'succeeded', finished_at = clock_timestamp(), peak_memory = (p_used ->> 'peak')::bigint, rows = (p_used ->> 'rows')::bigint
   WHERE step_run_id = p_step AND number = p_attempt;
  UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = p_step AND revoked_at IS NULL;
  IF jsonb_array_length(p_outputs) > 0 THEN
    INSERT INTO artifacts_artifact (id, project_id, kind, digest, size, media_type, inline, metadata, created_at)
    SELECT DISTINCT ON (o.kind, o.digest) ledger_uuid(), v_project, o.kind, o.digest, o.size, o.media_type, nullif(o.inline, 'null'::jsonb), o.metadata, clock_timestamp()
      FROM jsonb_to_recordset(p_outputs) AS o(kind text, digest text, size bigint, media_type text, inline jsonb, metadata jsonb)
     ORDER BY o.kind, o.digest
    ON CONFLICT (project_id, kind, digest) DO NOTHING;
    INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata)
    SELECT p_step, o.port, a.id, o.metadata
      FROM jsonb_to_recordset(p_outputs) AS o(port text, kind text, digest text, metadata jsonb)
      CROSS JOIN LATERAL (SELECT id FROM artifacts_artifact WHERE project_id = v_project AND kind = o.kind AND digest = o.digest LIMIT 1) a;
    IF v_took > interval '0.1 s' THEN
      PERFORM ledger_lineage(v_fence.run, p_step);
    END IF;
    IF p_outputs @> '[{"kind": "Metrics"}]' THEN
      PERFORM ledger_metrics(v_fence.run);
    END IF;
  END IF;
  RETURN ledger_settle(v_fence.run, ARRAY[p_step], '{}', v_fence.queue, p_worker, p_take, p_wakes,
                       ARRAY[ledger_step_event(v_fence.run, p_step, v_step, 'succeeded', p_attempt, 1, '')]);
END $$;
