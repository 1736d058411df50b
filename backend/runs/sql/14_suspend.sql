-- An attempt has done its part and hands the step on: to steps it makes (shards, rounds, the steps of a pipeline), to a person, or to
-- a time. It holds no worker meanwhile; when the others are done it becomes ready again, with `p_state` to go on from.
--   p_children  [{id, step, shard, component, component_version, queue, parameters, given, max_attempts, timeout_s, cacheable, flow}],
--               needs; what is not said is the parent's (`flow` is not)
--   p_inputs    [{step_run, port, position, source, output, need}], wires between them
--   p_at_once   the most shards that may run at a time
--   p_person    wait for a person, until `p_until` (null: for ever); else with `p_until` and no children: until then
CREATE OR REPLACE FUNCTION ledger_suspend(
  p_step uuid, p_attempt int, p_worker text, p_state jsonb, p_children jsonb, p_inputs jsonb, p_at_once int, p_person boolean, p_until timestamptz,
  p_take boolean, p_wakes int
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_fence record;
  v_parent record;
  v_front uuid[] := '{}';
  v_ended uuid[] := '{}';
  v_events jsonb[] := '{}';
  v_count int := jsonb_array_length(p_children);
  v_cancel boolean;
  v_status text;
BEGIN
  v_fence := ledger_fence(p_step, p_attempt, p_worker);
  IF NOT v_fence.held THEN
    RETURN v_fence.answer;
  END IF;
  SELECT cancel_requested AND NOT undoing INTO v_cancel FROM runs_run WHERE id = v_fence.run;
  UPDATE runs_attempt SET status = CASE WHEN v_cancel THEN 'cancelled' ELSE 'waiting' END, finished_at = clock_timestamp() WHERE step_run_id = p_step AND number = p_attempt;
  UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = p_step AND revoked_at IS NULL;
  v_status := CASE WHEN v_cancel THEN 'cancelled' WHEN v_count > 0 THEN 'running' WHEN p_person THEN 'waiting' ELSE 'queued' END;
  UPDATE runs_run SET dynamic = true WHERE id = v_fence.run AND NOT dynamic;
  UPDATE runs_steprun
     SET status = v_status, worker = '', state = p_state, children_open = CASE WHEN v_cancel THEN 0 ELSE v_count END,
         children_total = children_total + CASE WHEN v_cancel THEN 0 ELSE v_count END, message = '', wait_until = CASE WHEN p_person THEN p_until END,
         ready_at = CASE WHEN v_status = 'queued' THEN coalesce(p_until, clock_timestamp()) ELSE ready_at END, announced_at = NULL,
         finished_at = CASE WHEN v_cancel THEN clock_timestamp() END
   WHERE id = p_step
  RETURNING id, run_id, project_id, step, position, component, component_version, queue, parameters, max_attempts, timeout_s, cacheable, fresh, attempt, progress, needs INTO v_parent;
  v_events := v_fence.events || ARRAY[ledger_step_event(v_fence.run, p_step, v_parent.step, v_status, p_attempt, v_parent.progress, '')];
  IF v_cancel THEN
    v_ended := ARRAY[p_step];
  ELSIF v_count > 0 THEN
    INSERT INTO runs_steprun (id, project_id, run_id, parent_id, shard, step, position, component, component_version, queue, parameters, status, skip_reason,
                              blocked_by, attempt, failures, losses, max_attempts, timeout_s, flow, needs, given, held, fresh, cacheable, cache_key, content_key,
                              progress, message, batch, worker)
    SELECT c.id, v_parent.project_id, v_parent.run_id, p_step, c.shard, c.step, coalesce(c.shard, c.n)::int, coalesce(c.component, v_parent.component),
           coalesce(c.component_version, v_parent.component_version), coalesce(c.queue, v_parent.queue), coalesce(c.parameters, v_parent.parameters), 'queued', '',
           CASE WHEN c.n > p_at_once THEN 1 ELSE coalesce(b.waits, 0) END, 0, 0, 0, coalesce(c.max_attempts, v_parent.max_attempts),
           CASE WHEN c.component IS NULL THEN v_parent.timeout_s ELSE c.timeout_s END, nullif(c.flow, 'null'), coalesce(nullif(c.needs, 'null'), v_parent.needs), c.given, c.n > p_at_once, v_parent.fresh,
           coalesce(c.cacheable, v_parent.cacheable), '', '', 0, '', 0, ''
      FROM ROWS FROM (jsonb_to_recordset(p_children) AS (id uuid, step text, shard int, component text, component_version text, queue text, parameters jsonb,
                                                         given jsonb, max_attempts int, timeout_s int, cacheable boolean, flow jsonb, needs jsonb))
           WITH ORDINALITY AS c(id, step, shard, component, component_version, queue, parameters, given, max_attempts, timeout_s, cacheable, flow, needs, n)
      LEFT JOIN (SELECT i.step_run, count(DISTINCT i.source)::int AS waits FROM jsonb_to_recordset(p_inputs) AS i(step_run uuid, source uuid) GROUP BY i.step_run) b
        ON b.step_run = c.id;
    INSERT INTO runs_stepinput (step_run_id, port, position, source_id, output, need)
    SELECT i.step_run, i.port, i.position, i.source, i.output, i.need
      FROM jsonb_to_recordset(p_inputs) AS i(step_run uuid, port text, position int, source uuid, output text, need text);
    WITH first AS (
      UPDATE runs_steprun s SET ready_at = clock_timestamp(), content_key = ledger_dynamic_key(s.id)
       WHERE s.parent_id = p_step AND s.status = 'queued' AND s.blocked_by = 0 AND s.ready_at IS NULL
      RETURNING s.id, s.position)
    SELECT coalesce(array_agg(id ORDER BY position), '{}') INTO v_front FROM first;
  ELSIF v_status = 'queued' AND p_until IS NULL THEN
    v_front := ARRAY[p_step];
  END IF;
  RETURN ledger_settle(v_fence.run, v_fence.ended || v_ended, v_front, v_fence.queue, p_worker, p_take, p_wakes, v_events, p_done => v_fence.done) || jsonb_build_object('outcome', v_status);
END $$;

-- What became of the steps that a step made: of all, or of one shard or round. In their order.
CREATE OR REPLACE FUNCTION ledger_children(p_step uuid, p_shard int) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'step', s.step, 'shard', s.shard, 'status', s.status, 'skip_reason', s.skip_reason, 'error', s.error, 'outputs', coalesce((
             SELECT jsonb_object_agg(o.port, jsonb_build_object(
                      'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type, 'inline', a.inline, 'metadata', o.metadata))
               FROM runs_stepoutput o JOIN artifacts_artifact a ON a.id = o.artifact_id WHERE o.step_run_id = s.id), '{}'::jsonb)) ORDER BY s.shard, s.position), '[]'::jsonb)
    FROM runs_steprun s WHERE s.parent_id = p_step AND (p_shard IS NULL OR s.shard = p_shard)
$$;

-- The graph of a pipeline that is a step of this run, as it was when the run started.
CREATE OR REPLACE FUNCTION ledger_pipeline(p_run uuid, p_name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT graph -> 'pipelines' -> p_name FROM runs_run WHERE id = p_run
$$;

-- Somebody has decided what a step waits for (or its deadline has, `p_late`: then only if it has passed). `ok` is false when it no longer waits.
CREATE OR REPLACE FUNCTION ledger_decide(p_step uuid, p_decision jsonb, p_late boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run uuid;
  v_row record;
BEGIN
  SELECT r.id INTO v_run FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id WHERE s.id = p_step FOR NO KEY UPDATE OF r;
  SELECT s.status, s.state, s.step, s.attempt, s.wait_until INTO v_row FROM runs_steprun s WHERE s.id = p_step;
  IF v_row.status IS DISTINCT FROM 'waiting' OR (p_late AND (v_row.wait_until IS NULL OR v_row.wait_until > clock_timestamp())) THEN
    RETURN jsonb_build_object('ok', false, 'status', v_row.status, 'state', v_row.state, 'ready', '[]'::jsonb, 'events', '[]'::jsonb);
  END IF;
  UPDATE runs_steprun SET status = 'queued', state = coalesce(state, '{}'::jsonb) || jsonb_build_object('decision', p_decision), wait_until = NULL,
                          ready_at = clock_timestamp(), announced_at = NULL WHERE id = p_step;
  RETURN ledger_settle(v_run, '{}', ARRAY[p_step], '', '', false, 1, ARRAY[ledger_step_event(v_run, p_step, v_row.step, 'queued', v_row.attempt, 0, '')]);
END $$;

-- Steps whose deadline for a person has passed.
CREATE OR REPLACE FUNCTION ledger_overdue(p_limit int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_answers jsonb := '[]'::jsonb;
BEGIN
  FOR v_row IN SELECT s.id, s.run_id FROM runs_steprun s WHERE s.status = 'waiting' AND s.wait_until < clock_timestamp() ORDER BY s.wait_until LIMIT p_limit LOOP
    PERFORM 1 FROM runs_run WHERE id = v_row.run_id FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    v_answers := v_answers || jsonb_build_array(ledger_decide(v_row.id, '{"by": null, "late": true}', true));
  END LOOP;
  RETURN v_answers;
END $$;
