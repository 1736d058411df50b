-- Hosts that have joined speak to the database as `headrace_worker`: it owns nothing and may read and write no table. What a worker needs are
-- these functions, which act with their owner's rights (temporary tables last in the search path, or a caller could put its own in ours).
-- Where this account may not make roles, joined hosts get the operator's own address (`WORKER_DATABASE_URL`).
DO $$ DECLARE f record; BEGIN
  FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = current_schema() AND p.proname IN (
              'ledger_claim', 'ledger_grant', 'ledger_beat', 'ledger_finish', 'ledger_fail', 'ledger_suspend', 'ledger_children',
              'ledger_pipeline', 'ledger_code', 'ledger_host_beat') LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', f.name, current_schema());
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'headrace_worker') THEN
    CREATE ROLE headrace_worker LOGIN CONNECTION LIMIT 150;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  RAISE NOTICE 'The role headrace_worker was not made: %', SQLERRM;
END $$;
