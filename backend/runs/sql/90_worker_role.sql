-- Hosts that have joined speak to the database as `headrace_worker`: it owns nothing and may read and write no table. What a worker needs are
-- the functions below. In the schema that is named as the role (so the role finds it first) each has a twin that acts with its owner's rights; the studio's
-- own processes find the functions themselves, since the change of rights costs a quarter of a step. Temporary tables are last in the twins'
-- search path, or a caller could put its own in ours.
-- Where this account may not make roles, joined hosts get the operator's own address (`WORKER_DATABASE_URL`), of an account with this schema first in its
-- search path.
DO $$ DECLARE f record; BEGIN
  DROP SCHEMA IF EXISTS headrace_worker CASCADE;
  CREATE SCHEMA headrace_worker;
  GRANT USAGE ON SCHEMA headrace_worker TO PUBLIC;
  FOR f IN SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
                  (SELECT coalesce(string_agg('$' || n, ', ' ORDER BY n), '') FROM generate_series(1, p.pronargs) n) AS given
             FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
            WHERE s.nspname = current_schema() AND p.proname IN (
              'ledger_claim', 'ledger_grant', 'ledger_beat', 'ledger_finish', 'ledger_note', 'ledger_catch_up', 'ledger_return', 'ledger_fail', 'ledger_suspend', 'ledger_children',
              'ledger_pipeline', 'ledger_code', 'ledger_host_beat') LOOP
    EXECUTE format('CREATE FUNCTION headrace_worker.%1$I(%2$s) RETURNS %3$s LANGUAGE sql SECURITY DEFINER SET search_path = %4$I, pg_temp AS %5$L',
                   f.name, f.arguments, f.result, current_schema(), format('SELECT %I.%I(%s)', current_schema(), f.name, f.given));
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'headrace_worker') THEN
    CREATE ROLE headrace_worker LOGIN CONNECTION LIMIT 150;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  RAISE NOTICE 'The role headrace_worker was not made: %', SQLERRM;
END $$;
