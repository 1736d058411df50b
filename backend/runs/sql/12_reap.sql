-- Takes back what its worker has left: steps whose heartbeat stopped, and steps far past their time limit (a worker ends
-- those itself; this is for one that cannot). Any number of reapers may run: one works, the others find it busy.
-- After a restart of the database every worker gets a whole lease to come back. `p_alive` are steps whose process the caller has
-- just seen alive: silent but busy (a library that holds Python's lock), they get six leases.
CREATE OR REPLACE FUNCTION ledger_reap(p_lease float8, p_grace float8, p_losses int, p_limit int, p_alive uuid[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_row record;
  v_answers jsonb := '[]'::jsonb;
  v_late boolean;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('headrace reaper'), 0) THEN
    RETURN '{"busy": true, "answers": []}';
  END IF;
  FOR v_row IN
    SELECT id, run_id, attempt, timeout_s, started_at FROM runs_steprun
     WHERE status = 'running' AND worker <> ''
       AND (greatest(heartbeat_at, pg_postmaster_start_time()) < clock_timestamp() - make_interval(secs => p_lease * CASE WHEN id = ANY (p_alive) THEN 6 ELSE 1 END)
            OR (timeout_s IS NOT NULL AND started_at < clock_timestamp() - make_interval(secs => timeout_s + p_grace)))
     LIMIT p_limit
  LOOP
    PERFORM 1 FROM runs_run WHERE id = v_row.run_id FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;  -- somebody is changing this run now; the next round sees what became of it
    v_late := v_row.timeout_s IS NOT NULL AND v_row.started_at < clock_timestamp() - make_interval(secs => v_row.timeout_s + p_grace);
    v_answers := v_answers || jsonb_build_array(ledger_fail(
      v_row.id, v_row.attempt, '', CASE WHEN v_late THEN 'failed' ELSE 'lost' END,
      CASE WHEN v_late THEN jsonb_build_object('code', 'timeout', 'message', format('The step ran longer than its limit of %s s.', v_row.timeout_s),
                                               'hint', 'Raise the limit, or give the step less to do.', 'traceback', '')
           ELSE jsonb_build_object('code', 'worker_lost', 'message', 'The worker that ran this step stopped without a word.',
                                   'hint', 'It was killed or cut off; if this repeats, the step may need more memory than there is.', 'traceback', '') END,
      v_late, 1, p_losses, false, 0));
  END LOOP;
  RETURN jsonb_build_object('busy', false, 'answers', v_answers);
END $$;

-- Ready steps that nobody has claimed some time after they were announced (or that never were): announce these again.
CREATE OR REPLACE FUNCTION ledger_unclaimed(p_queue text, p_after float8, p_limit int) RETURNS uuid[] LANGUAGE sql VOLATILE AS $$
  WITH told AS (
    UPDATE runs_steprun SET announced_at = clock_timestamp()
     WHERE id IN (SELECT s.id FROM runs_steprun s JOIN runs_run r ON r.id = s.run_id
                   WHERE s.status = 'queued' AND s.blocked_by = 0 AND s.queue = p_queue AND s.needs IS NULL AND s.queue <> 'gpu' AND s.ready_at <= clock_timestamp()
                     AND (s.announced_at IS NULL OR s.announced_at < clock_timestamp() - make_interval(secs => p_after))
                     AND s.run_id <> ALL ((SELECT ledger_held())::uuid[])
                   ORDER BY r.priority DESC, s.ready_at LIMIT greatest(p_limit, 0) FOR UPDATE OF s SKIP LOCKED)
    RETURNING id, ready_at)
  SELECT coalesce(array_agg(id ORDER BY ready_at), '{}') FROM told
$$;

-- Queues with unclaimed ready steps, and what runs where: what the reaper looks at once a second.
CREATE OR REPLACE FUNCTION ledger_watch(p_after float8) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'queues', (SELECT coalesce(jsonb_agg(DISTINCT queue), '[]') FROM runs_steprun
                WHERE status = 'queued' AND blocked_by = 0 AND ready_at <= clock_timestamp() AND needs IS NULL AND queue <> 'gpu'
                  AND (announced_at IS NULL OR announced_at < clock_timestamp() - make_interval(secs => p_after))
                  AND run_id <> ALL ((SELECT ledger_held())::uuid[])),
    'unplaced', EXISTS (SELECT 1 FROM runs_steprun
                WHERE status = 'queued' AND blocked_by = 0 AND ready_at <= clock_timestamp() AND (needs IS NOT NULL OR queue = 'gpu')
                  AND (announced_at IS NULL OR announced_at < clock_timestamp() - make_interval(secs => p_after))
                  AND run_id <> ALL ((SELECT ledger_held())::uuid[])),
    'running', (SELECT coalesce(jsonb_agg(jsonb_build_array(id, attempt, worker)), '[]') FROM runs_steprun WHERE status = 'running' AND worker <> ''),
    'overdue', (SELECT count(*) FROM runs_steprun WHERE status = 'waiting' AND wait_until < clock_timestamp()))
$$;
