-- Keeps status changes of a run in order and returns them with their numbers, ready to be published.
-- The caller holds the run's row lock, so a run's numbers become visible in order.
CREATE OR REPLACE FUNCTION ledger_events(p_run uuid, p_events jsonb[]) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  WITH kept AS (
    INSERT INTO runs_runevent (run_id, payload, at)
    SELECT p_run, e, clock_timestamp() FROM unnest(p_events) WITH ORDINALITY AS t(e, n) ORDER BY n
    RETURNING id, payload
  )
  SELECT coalesce(jsonb_agg(payload || jsonb_build_object('seq', id) ORDER BY id), '[]'::jsonb) FROM kept
$$;

-- The payload of `runs.schemas.StepRunChanged` (its number comes from ledger_events).
CREATE OR REPLACE FUNCTION ledger_step_event(
  p_run uuid, p_id uuid, p_step text, p_status text, p_attempt int, p_progress float8, p_message text
) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('type', 'step_run_changed', 'run', p_run, 'step_run', p_id, 'step', p_step, 'status', p_status,
                            'attempt', p_attempt, 'progress', p_progress, 'message', p_message)
$$;
