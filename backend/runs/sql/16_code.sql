-- User-written code that is a step of this run, as it was when the run was started.
CREATE OR REPLACE FUNCTION ledger_code(p_run uuid, p_name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT graph -> 'code' -> p_name FROM runs_run WHERE id = p_run
$$;
