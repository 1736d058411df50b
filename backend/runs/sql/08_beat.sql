-- A sign of life of a running attempt, with its progress and a batch of log lines and metric points. Says whether the
-- attempt still holds the step and whether the run is being cancelled. Batches are numbered, so that one sent again after a
-- lost answer is not kept twice. Writers of one run take turns, so that its lines appear in the order of their numbers.
CREATE OR REPLACE FUNCTION ledger_beat(
  p_step uuid, p_attempt int, p_progress float8, p_message text, p_batch int,
  p_line_at timestamptz[], p_stream text[], p_level text[], p_text text[],
  p_point_at timestamptz[], p_name text[], p_index float8[], p_value float8[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run uuid;
  v_batch int;
  v_cancel boolean;
  v_lines bigint[];
  v_points bigint[];
BEGIN
  IF coalesce(cardinality(p_text), 0) + coalesce(cardinality(p_name), 0) > 0 THEN
    PERFORM pg_advisory_xact_lock(hashtext('headrace lines'), hashtext(run_id::text)) FROM runs_steprun WHERE id = p_step;
  END IF;
  SELECT run_id, batch INTO v_run, v_batch FROM runs_steprun
   WHERE id = p_step AND attempt = p_attempt AND status = 'running' AND worker <> '' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN '{"ok": false, "cancel": false, "lines": [], "points": []}';
  END IF;
  UPDATE runs_steprun SET heartbeat_at = clock_timestamp(), progress = p_progress, message = p_message, batch = greatest(batch, p_batch) WHERE id = p_step;
  IF p_batch > v_batch THEN
    IF cardinality(p_text) > 0 THEN
      WITH kept AS (
        INSERT INTO runs_logline (run_id, step_run_id, attempt, at, stream, level, text)
        SELECT v_run, p_step, p_attempt, t.at, t.stream, t.level, t.line
          FROM unnest(p_line_at, p_stream, p_level, p_text) WITH ORDINALITY AS t(at, stream, level, line, n) ORDER BY n
        RETURNING id)
      SELECT array_agg(id ORDER BY id) INTO v_lines FROM kept;
    END IF;
    IF cardinality(p_name) > 0 THEN
      WITH kept AS (
        INSERT INTO runs_metricpoint (run_id, step_run_id, attempt, name, index, value, at)
        SELECT v_run, p_step, p_attempt, t.name, t.place, t.value, t.at
          FROM unnest(p_point_at, p_name, p_index, p_value) WITH ORDINALITY AS t(at, name, place, value, n) ORDER BY n
        RETURNING id)
      SELECT array_agg(id ORDER BY id) INTO v_points FROM kept;
    END IF;
  END IF;
  SELECT cancel_requested AND NOT undoing INTO v_cancel FROM runs_run WHERE id = v_run;
  RETURN jsonb_build_object('ok', true, 'cancel', v_cancel, 'lines', coalesce(to_jsonb(v_lines), '[]'), 'points', coalesce(to_jsonb(v_points), '[]'));
END $$;

-- Gives a running attempt a token for the HTTP API, in the name of the run's starter; only its hash comes here. It ends with the attempt.
CREATE OR REPLACE FUNCTION ledger_grant(p_step uuid, p_attempt int, p_hash text, p_prefix text, p_hours float8) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO core_apitoken (id, user_id, project_id, name, prefix, token_hash, step_run, created_at, expires_at)
  SELECT ledger_uuid(), r.started_by_id, r.project_id, left('step ' || s.step || ' of run ' || r.number, 120), p_prefix, p_hash, s.id,
         clock_timestamp(), clock_timestamp() + make_interval(secs => p_hours * 3600)
    FROM runs_steprun s JOIN runs_run r ON r.id = s.run_id
   WHERE s.id = p_step AND s.attempt = p_attempt AND s.status = 'running' AND r.started_by_id IS NOT NULL;
  RETURN FOUND;
END $$;
