-- An attempt ended without a result.
--   p_outcome 'failed'     by itself: tried again (after a pause that doubles) while p_retry and attempts are left
--             'cancelled'  the run was cancelled and the attempt stopped (of a run that was not cancelled: it failed)
--             'lost'       its worker or process vanished: taken back at once, but at most p_losses times, since what
--                          kills its worker every time (out of memory) must not go on for ever
-- A step that fails for good takes with it only what needs it; other branches go on. What a failed shard or inner step means is for the step
-- that made it to say.
CREATE OR REPLACE FUNCTION ledger_fail(
  p_step uuid, p_attempt int, p_worker text, p_outcome text, p_error jsonb, p_retry boolean, p_pause float8, p_losses int, p_take boolean, p_wakes int,
  p_used jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_fence record;
  v_step record;
  v_cancel boolean;
  v_again boolean;
  v_status text;
  v_ended uuid[] := '{}';
  v_front uuid[] := ARRAY[p_step];
  v_events jsonb[];
BEGIN
  v_fence := ledger_fence(p_step, p_attempt, p_worker);
  IF NOT v_fence.held THEN
    RETURN v_fence.answer;
  END IF;
  SELECT cancel_requested AND NOT undoing INTO v_cancel FROM runs_run WHERE id = v_fence.run;
  SELECT step, progress, failures, losses, max_attempts, parent_id INTO v_step FROM runs_steprun WHERE id = p_step;
  v_again := NOT v_cancel AND CASE p_outcome WHEN 'failed' THEN p_retry AND v_step.failures + 1 < v_step.max_attempts
                                             WHEN 'lost' THEN v_step.losses + 1 < p_losses ELSE false END;
  v_status := CASE WHEN v_cancel THEN 'cancelled' WHEN v_again THEN 'queued' ELSE 'failed' END;
  UPDATE runs_attempt SET status = CASE v_status WHEN 'cancelled' THEN 'cancelled' ELSE 'failed' END, error = p_error, finished_at = clock_timestamp(),
                          peak_memory = (p_used ->> 'peak')::bigint, rows = (p_used ->> 'rows')::bigint
   WHERE step_run_id = p_step AND number = p_attempt;
  UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = p_step AND revoked_at IS NULL;
  UPDATE runs_steprun
     SET status = v_status, worker = '', error = CASE v_status WHEN 'cancelled' THEN NULL ELSE p_error END,
         failures = failures + (p_outcome = 'failed')::int, losses = losses + (p_outcome = 'lost')::int,
         message = CASE v_status WHEN 'queued' THEN left('Trying again: ' || coalesce(p_error ->> 'message', ''), 500) ELSE '' END,
         ready_at = CASE WHEN v_status <> 'queued' THEN ready_at WHEN p_outcome = 'lost' THEN clock_timestamp()
                         ELSE clock_timestamp() + make_interval(secs => least(p_pause * power(2, failures), 300)) END,
         announced_at = NULL, finished_at = CASE WHEN v_status <> 'queued' THEN clock_timestamp() END
   WHERE id = p_step;
  v_events := v_fence.events || ARRAY[ledger_step_event(v_fence.run, p_step, v_step.step, v_status, p_attempt, v_step.progress, coalesce(left(p_error ->> 'message', 500), ''))];
  IF v_status <> 'queued' THEN
    v_ended := v_front;
  END IF;
  IF v_status = 'failed' THEN
    IF v_step.parent_id IS NULL THEN
      UPDATE runs_run SET error = p_error || jsonb_build_object('step', v_step.step) WHERE id = v_fence.run AND error IS NULL;
    END IF;
    LOOP
      WITH ended AS (
        UPDATE runs_steprun SET status = 'skipped', skip_reason = 'upstream failed', finished_at = clock_timestamp()
         WHERE id IN (SELECT i.step_run_id FROM runs_stepinput i WHERE i.source_id = ANY (v_front) AND i.need <> 'after') AND status = 'queued'
        RETURNING id, step, attempt, position)
      SELECT coalesce(array_agg(id), '{}'), v_events || coalesce(array_agg(ledger_step_event(v_fence.run, id, step, 'skipped', attempt, 0, '') ORDER BY position), '{}')
        INTO v_front, v_events FROM ended;
      EXIT WHEN cardinality(v_front) = 0;
      v_ended := v_ended || v_front;
    END LOOP;
  END IF;
  RETURN ledger_settle(v_fence.run, v_fence.ended || v_ended, '{}', v_fence.queue, p_worker, p_take, p_wakes, v_events, p_done => v_fence.done) || jsonb_build_object('outcome', v_status);
END $$;
