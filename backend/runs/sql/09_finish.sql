-- Locks the run of a step and checks the fence. `held` is true when a worker runs this attempt of the step now (the caller ends it: its
-- devices are free from here on); not while the step waits for others that it made. Otherwise `answer` is
-- what to tell the caller: it may be asking again after a lost answer, and then gets what the first asking gave. `done`, `ended` and `events`:
-- what notes said (19_ahead.sql), for the caller's `ledger_settle`; who names no worker takes the step away from whoever has it.
CREATE OR REPLACE FUNCTION ledger_fence(
  p_step uuid, p_attempt int, p_worker text, OUT held boolean, OUT run uuid, OUT queue text, OUT answer jsonb, OUT done int, OUT ended uuid[],
  OUT events jsonb[])
LANGUAGE plpgsql AS $$
DECLARE
  v_status text;
  v_attempt int;
  v_worker text;
  v_outcome text;
  v_next uuid[];
  v_found record;
BEGIN
  SELECT r.id INTO run FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id WHERE s.id = p_step FOR NO KEY UPDATE OF r;
  IF p_worker = '' THEN
    v_found := ledger_halt(run);
  ELSE
    PERFORM ledger_close(run, p_worker, p_step, p_attempt);
    v_found := ledger_fold(run, p_worker, false);
  END IF;
  done := v_found.done;
  ended := v_found.ended;
  events := v_found.events;
  SELECT s.status, s.attempt, s.worker, s.queue INTO v_status, v_attempt, v_worker, queue FROM runs_steprun s WHERE s.id = p_step;
  held := v_attempt = p_attempt AND v_status = 'running' AND v_worker <> '';
  IF held AND queue = 'gpu' THEN
    DELETE FROM runs_devicelease WHERE step_run_id = p_step;
  END IF;
  IF held IS NOT TRUE THEN
    held := false;
    SELECT a.status INTO v_outcome FROM runs_attempt a WHERE a.step_run_id = p_step AND a.number = p_attempt AND a.worker = p_worker AND a.status <> 'running';
    IF v_outcome IS NOT NULL THEN
      SELECT array_agg(s.id ORDER BY s.position) INTO v_next FROM runs_steprun s WHERE s.run_id = run AND s.worker = p_worker AND s.status = 'running';
    END IF;
    answer := '{"ready": [], "events": []}';
    IF done > 0 OR cardinality(ended) > 0 THEN
      answer := ledger_settle(run, ended, '{}', '', '', false, 32, events, p_done => done);
    END IF;
    answer := answer || jsonb_build_object('ok', coalesce(v_outcome IN ('succeeded', 'waiting'), false), 'repeated', v_outcome IS NOT NULL, 'run', run,
                                           'next', CASE WHEN v_next IS NOT NULL THEN ledger_payload(v_next[1]) END,
                                           'ahead', (SELECT coalesce(jsonb_agg(ledger_payload(n)), '[]') FROM unnest(v_next[2:]) n));
  END IF;
END $$;

-- The step succeeded: keep its outputs, free what waited for it, and hand the worker the next ready step of the run.
--   p_outputs  [{port, kind, digest, size, media_type, inline, metadata}]      p_used  {peak (bytes), rows}, what the attempt took
--   p_ahead    how many steps after that one the worker may run on its own word; `ahead` of the answer holds them
--   p_held     steps that it was given besides, has not begun, and would go on with (`kept` of the answer: it may, and the first of them has begun);
--   p_back     those that others may have
CREATE OR REPLACE FUNCTION ledger_finish(
  p_step uuid, p_attempt int, p_worker text, p_outputs jsonb, p_take boolean, p_wakes int, p_used jsonb DEFAULT NULL, p_ahead int DEFAULT 0,
  p_held uuid[] DEFAULT '{}', p_back uuid[] DEFAULT '{}'
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
  v_done int := 0;
  v_ended uuid[] := '{}';
  v_front uuid[] := '{}';
  v_events jsonb[] := '{}';
  v_run uuid;
  v_step record;
  v_output jsonb;
  v_artifact uuid;
BEGIN
  SELECT r.id INTO v_run FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id WHERE s.id = p_step FOR NO KEY UPDATE OF r;
  PERFORM ledger_close(v_run, p_worker, p_step, p_attempt, p_held);
  IF EXISTS (SELECT 1 FROM runs_note n WHERE n.run_id = v_run) THEN
    v_found := ledger_fold(v_run, p_worker, false);
    v_done := v_found.done;
    v_ended := v_found.ended;
    v_events := v_found.events;
  END IF;
  -- The fence, as in ledger_fence, and the end of the attempt in one.
  WITH ended AS (
    UPDATE runs_steprun SET status = 'succeeded', progress = 1, error = NULL, finished_at = clock_timestamp()
     WHERE id = p_step AND attempt = p_attempt AND status = 'running' AND worker <> ''
    RETURNING project_id, step, queue, finished_at, started_at),
  closed AS (
    UPDATE runs_attempt SET status = 'succeeded', finished_at = ended.finished_at, peak_memory = (p_used ->> 'peak')::bigint, rows = (p_used ->> 'rows')::bigint
      FROM ended WHERE step_run_id = p_step AND number = p_attempt)
  SELECT project_id, step, queue, finished_at - started_at AS took, EXISTS (SELECT 1 FROM core_apitoken WHERE step_run = p_step) AS granted INTO v_step FROM ended;
  IF NOT FOUND THEN
    v_found := ledger_fence(p_step, p_attempt, p_worker);
    RETURN CASE WHEN v_done = 0 AND v_ended = '{}' THEN v_found.answer
                ELSE ledger_settle(v_run, v_ended, '{}', '', '', false, p_wakes, v_events, p_done => v_done) || (v_found.answer - 'ready' - 'events') END;
  END IF;
  IF v_step.queue = 'gpu' THEN
    DELETE FROM runs_devicelease WHERE step_run_id = p_step;
  END IF;
  IF v_step.granted THEN
    UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = p_step AND revoked_at IS NULL;
  END IF;
  IF jsonb_array_length(p_outputs) > 1 THEN  -- in one order for all: two steps that store the same things must not wait for each other
    p_outputs := (SELECT jsonb_agg(o ORDER BY o ->> 'kind', o ->> 'digest') FROM jsonb_array_elements(p_outputs) o);
  END IF;
  FOR n IN 0 .. jsonb_array_length(p_outputs) - 1 LOOP
    v_output := p_outputs -> n;
    LOOP  -- once, or again when another step stores the same bytes in this moment
      SELECT id INTO v_artifact FROM artifacts_artifact WHERE project_id = v_step.project_id AND kind = v_output ->> 'kind' AND digest = v_output ->> 'digest';
      EXIT WHEN FOUND;
      INSERT INTO artifacts_artifact (id, project_id, kind, digest, size, media_type, inline, metadata, created_at)
      VALUES (ledger_uuid(), v_step.project_id, v_output ->> 'kind', v_output ->> 'digest', (v_output ->> 'size')::bigint, v_output ->> 'media_type',
              nullif(v_output -> 'inline', 'null'::jsonb), v_output -> 'metadata', clock_timestamp())
      ON CONFLICT (project_id, kind, digest) DO NOTHING
      RETURNING id INTO v_artifact;
      EXIT WHEN FOUND;
    END LOOP;
    INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata) VALUES (p_step, v_output ->> 'port', v_artifact, v_output -> 'metadata');
  END LOOP;
  IF jsonb_array_length(p_outputs) > 0 AND v_step.took > interval '0.1 s' THEN
    PERFORM ledger_lineage(ARRAY[p_step]);
  END IF;
  IF p_outputs @> '[{"kind": "Metrics"}]' THEN
    PERFORM ledger_metrics(v_run);
  END IF;
  v_events := v_events || ledger_step_event(v_run, p_step, v_step.step, 'succeeded', p_attempt, 1, '');
  IF p_back <> '{}' THEN
    v_found := ledger_put_back(v_run, p_worker, p_back);
    v_front := v_found.front;
    v_ended := v_ended || v_found.gone;
    v_events := v_events || v_found.events;
  END IF;
  RETURN ledger_settle(v_run, v_ended || p_step, v_front, v_step.queue, p_worker, p_take, p_wakes, v_events, NULL, p_ahead, v_done, p_held);
END $$;
