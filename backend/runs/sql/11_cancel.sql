-- Cancels a run: what has not begun ends now; what runs is told with its next heartbeat. Cancelling twice changes nothing.
CREATE OR REPLACE FUNCTION ledger_cancel(p_run uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_ended uuid[];
  v_events jsonb[];
  v_status text;
  v_cancel boolean;
  v_found record;
BEGIN
  SELECT status, cancel_requested OR undoing INTO v_status, v_cancel FROM runs_run WHERE id = p_run FOR NO KEY UPDATE;
  IF NOT FOUND OR v_cancel OR v_status NOT IN ('queued', 'running', 'waiting') THEN
    RETURN jsonb_build_object('ok', false, 'status', v_status, 'ready', '[]'::jsonb, 'events', '[]'::jsonb);
  END IF;
  v_found := ledger_halt(p_run);
  UPDATE runs_run SET cancel_requested = true WHERE id = p_run;
  WITH ended AS (
    UPDATE runs_steprun SET status = 'cancelled', finished_at = clock_timestamp(), message = ''
     WHERE run_id = p_run AND status IN ('queued', 'waiting') RETURNING id, step, attempt, position)
  SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(ledger_step_event(p_run, id, step, 'cancelled', attempt, 0, '') ORDER BY position), '{}')
    INTO v_ended, v_events FROM ended;
  RETURN ledger_settle(p_run, v_found.ended || v_ended, '{}', '', '', false, 0, v_found.events || v_events, p_done => v_found.done);
END $$;
