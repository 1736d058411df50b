-- What ends a run is a worker, in SQL; so it is the database that tells triggers of it, in the transaction that ends the run.
-- A run that a trigger had started also frees a place: the clock is woken for what waits for one.
CREATE OR REPLACE FUNCTION trigger_run_finished() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_cause record;
  v_pipeline record;
  v_depth int;
BEGIN
  IF NEW.sample IS NOT NULL THEN
    RETURN NULL;  -- a dry run: nothing follows from it
  END IF;
  SELECT e.depth, t.slug INTO v_cause FROM runs_triggerevent e JOIN runs_trigger t ON t.id = e.trigger_id
   WHERE e.run_id = NEW.id AND e.status = 'started' LIMIT 1;
  IF FOUND THEN
    PERFORM pg_notify('headrace_triggers', '');
  END IF;
  -- A run that only reuses results ends while it is being started, before its event says so: `fire.py` says it here.
  v_depth := coalesce(v_cause.depth, nullif(current_setting('headrace.trigger_depth', true), '')::int) + 1;
  IF NOT EXISTS (SELECT 1 FROM runs_trigger t WHERE t.project_id = NEW.project_id AND t.kind = 'run_finished' AND t.enabled AND t.deleted_at IS NULL) THEN
    RETURN NULL;
  END IF;
  SELECT p.slug, p.name, v.number INTO v_pipeline
    FROM pipelines_pipelineversion v JOIN pipelines_pipeline p ON p.id = v.pipeline_id WHERE v.id = NEW.pipeline_version_id;
  INSERT INTO runs_triggerevent (id, trigger_id, key, received_at, source, payload, depth, status, reason, due_at)
  SELECT ledger_uuid(), t.id, 'run:' || NEW.id, clock_timestamp(), 'run #' || NEW.number,
         jsonb_build_object(
           'id', NEW.id, 'source', 'run', 'type', 'run_finished', 'time', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'data', jsonb_build_object('run', NEW.id, 'number', NEW.number, 'name', NEW.name, 'status', NEW.status, 'pipeline', v_pipeline.slug,
                                      'pipeline_name', v_pipeline.name, 'version', v_pipeline.number, 'metrics', NEW.metrics)),
         coalesce(v_depth, 0), 'received', '', clock_timestamp() + make_interval(secs => t.coalesce_s)
    FROM runs_trigger t
   WHERE t.project_id = NEW.project_id AND t.kind = 'run_finished' AND t.enabled AND t.deleted_at IS NULL
     AND coalesce(t.config ->> 'pipeline', '') IN ('', v_pipeline.slug)
     AND t.config -> 'statuses' ? NEW.status
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('headrace_triggers', '');
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER runs_run_finished AFTER UPDATE OF status ON runs_run FOR EACH ROW
  WHEN (NEW.status IS DISTINCT FROM OLD.status AND NEW.status IN ('succeeded', 'failed', 'cancelled'))
  EXECUTE FUNCTION trigger_run_finished();
