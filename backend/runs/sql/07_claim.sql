-- A worker asks for a step. If another worker has it already, any ready step of the same run and queue is given instead:
-- a wake-up is leave for one worker to work on a run, so a late or doubled one does no harm. Asking again after a lost
-- answer gives the same attempt again.
CREATE OR REPLACE FUNCTION ledger_claim(p_step uuid, p_worker text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run uuid;
  v_queue text;
  v_status text;
  v_worker text;
  v_cancel boolean;
  v_answer jsonb;
BEGIN
  SELECT run_id, queue INTO v_run, v_queue FROM runs_steprun WHERE id = p_step;
  IF NOT FOUND THEN
    RETURN '{"ok": false, "next": null}';
  END IF;
  SELECT cancel_requested AND NOT undoing INTO v_cancel FROM runs_run WHERE id = v_run FOR NO KEY UPDATE;
  SELECT status, worker INTO v_status, v_worker FROM runs_steprun WHERE id = p_step;
  IF v_status = 'running' AND v_worker = p_worker THEN
    RETURN jsonb_build_object('ok', true, 'next', ledger_payload(p_step), 'info', ledger_run_info(v_run), 'ready', '[]'::jsonb, 'events', '[]'::jsonb);
  END IF;
  IF v_cancel THEN
    RETURN '{"ok": false, "next": null}';
  END IF;
  v_answer := ledger_settle(v_run, '{}', '{}', v_queue, p_worker, true, 0, '{}', p_step);
  IF v_answer -> 'next' = 'null'::jsonb THEN
    RETURN '{"ok": false, "next": null}';
  END IF;
  RETURN v_answer || jsonb_build_object('info', ledger_run_info(v_run));
END $$;
