-- The run has failed or was cancelled: compensations of the steps that succeeded here, last one first, one after the other. Each is one
-- more step, fed with what the undone step gave (ports of equal names), then with what that one took. Returns the first, or null when
-- there is nothing to undo. One that fails for good does not stop the others. The caller holds the run's row lock.
CREATE OR REPLACE FUNCTION ledger_undo(p_run uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_first uuid;
  v_before uuid;
  v_id uuid;
  v_count int := 0;
BEGIN
  FOR v_row IN
    SELECT s.id, s.project_id, s.step, s.flow -> 'undo' AS undo, s.position, s.needs FROM runs_steprun s
     WHERE s.run_id = p_run AND s.status = 'succeeded' AND s.flow -> 'undo' IS NOT NULL AND s.undoes_id IS NULL ORDER BY s.finished_at DESC
  LOOP
    v_id := ledger_uuid();
    v_count := v_count + 1;
    INSERT INTO runs_steprun (id, project_id, run_id, undoes_id, step, position, component, component_version, queue, parameters, status, skip_reason,
                              blocked_by, attempt, failures, losses, max_attempts, given, fresh, cacheable, cache_key, content_key, progress, message,
                              batch, worker, needs, ready_at)
    SELECT v_id, v_row.project_id, p_run, v_row.id, left(v_row.step || '~undo', 300), 100000 + v_count, v_row.undo ->> 'component', v_row.undo ->> 'component_version',
           v_row.undo ->> 'queue', v_row.undo -> 'parameters', 'queued', '', (v_before IS NOT NULL)::int, 0, 0, 0, 5,
           (SELECT coalesce(jsonb_object_agg(port, artifacts), '{}'::jsonb) FROM (
              SELECT o.port, jsonb_build_array(jsonb_build_object('id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type,
                                                                  'inline', a.inline, 'metadata', o.metadata)) AS artifacts
                FROM runs_stepoutput o JOIN artifacts_artifact a ON a.id = o.artifact_id
               WHERE o.step_run_id = v_row.id AND v_row.undo -> 'ports' ? o.port
              UNION ALL
              SELECT t.key, t.value FROM jsonb_each(ledger_payload(v_row.id) -> 'inputs') t
               WHERE v_row.undo -> 'ports' ? t.key
                 AND NOT EXISTS (SELECT 1 FROM runs_stepoutput o WHERE o.step_run_id = v_row.id AND o.port = t.key)) fed),
           true, false, '', '', 0, '', 0, '', CASE WHEN v_row.needs ? 'labels' THEN jsonb_build_object('labels', v_row.needs -> 'labels') END, CASE WHEN v_before IS NULL THEN clock_timestamp() END;
    IF v_before IS NOT NULL THEN
      INSERT INTO runs_stepinput (step_run_id, port, position, source_id, output, need) VALUES (v_id, '', 0, v_before, '', 'after');
    ELSE
      v_first := v_id;
    END IF;
    v_before := v_id;
  END LOOP;
  IF v_count > 0 THEN
    UPDATE runs_run SET undoing = true, steps_total = steps_total + v_count WHERE id = p_run;
  END IF;
  RETURN v_first;
END $$;
