-- A worker asks for a step. If another worker has it already, any ready step of the same run and queue is given instead:
-- a wake-up is leave for one worker to work on a run, so a late or doubled one does no harm. Where a run of higher priority has a ready step in
-- the queue, the worker gets that one, and the step it was woken for is announced again. Asking again after a lost
-- answer gives the same attempt again. `unknown`: there is no such step, or not yet (a start wakes a worker while it is being written).
CREATE OR REPLACE FUNCTION ledger_claim(p_step uuid, p_worker text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run uuid;
  v_queue text;
  v_status text;
  v_worker text;
  v_cancel boolean;
  v_answer jsonb;
  v_priority int;
  v_wanted uuid := p_step;
  v_again jsonb := '[]'::jsonb;
BEGIN
  SELECT s.run_id, s.queue, s.worker, r.priority INTO v_run, v_queue, v_worker, v_priority FROM runs_steprun s JOIN runs_run r ON r.id = s.run_id WHERE s.id = p_step;
  IF NOT FOUND THEN
    RETURN '{"ok": false, "next": null, "unknown": true}';
  END IF;
  IF EXISTS (SELECT 1 FROM runs_run WHERE status IN ('queued', 'running', 'waiting') AND priority > v_priority) AND v_worker <> p_worker THEN
    v_wanted := coalesce(ledger_better(v_queue, v_priority, p_worker), p_step);
    IF v_wanted <> p_step THEN
      SELECT coalesce(jsonb_agg(jsonb_build_object('id', p_step, 'queue', t.queue)), '[]') INTO v_again
        FROM runs_steprun s CROSS JOIN LATERAL unnest(ledger_told(s.queue, s.needs)) t(queue) WHERE s.id = p_step;
      SELECT run_id INTO v_run FROM runs_steprun WHERE id = v_wanted;
    END IF;
  END IF;
  SELECT cancel_requested AND NOT undoing INTO v_cancel FROM runs_run WHERE id = v_run FOR NO KEY UPDATE;
  SELECT status, worker INTO v_status, v_worker FROM runs_steprun WHERE id = v_wanted;
  IF v_status = 'running' AND v_worker = p_worker THEN
    RETURN jsonb_build_object('ok', true, 'next', ledger_payload(v_wanted), 'info', ledger_run_info(v_run), 'ready', '[]'::jsonb, 'events', '[]'::jsonb);
  END IF;
  IF v_cancel THEN
    RETURN jsonb_build_object('ok', false, 'next', NULL, 'ready', v_again);
  END IF;
  v_answer := ledger_settle(v_run, '{}', '{}', v_queue, p_worker, true, 0, '{}', v_wanted, 16);
  IF v_answer -> 'next' = 'null'::jsonb THEN
    RETURN jsonb_build_object('ok', false, 'next', NULL, 'ready', v_again);
  END IF;
  RETURN v_answer || jsonb_build_object('info', ledger_run_info(v_run), 'ready', (v_answer -> 'ready') || v_again);
END $$;
