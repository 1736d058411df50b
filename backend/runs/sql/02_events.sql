-- The payload of `runs.schemas.StepRunChanged` (its number comes from where it is kept, in ledger_settle).
CREATE OR REPLACE FUNCTION ledger_step_event(
  p_run uuid, p_id uuid, p_step text, p_status text, p_attempt int, p_progress float8, p_message text
) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('type', 'step_run_changed', 'run', p_run, 'step_run', p_id, 'step', p_step, 'status', p_status,
                            'attempt', p_attempt, 'progress', p_progress, 'message', p_message)
$$;
