-- What follows from the end of these steps in a run whose steps may make others, leave outputs out or wait: what waited for them becomes
-- ready or is passed over, shards that were held come forward, and a step whose children have all ended goes on.
--   ready   steps that wait for nothing any more       ended   steps brought to an end here, whose followers are still to be looked at
--   done    how many of `p_ended` count for the run's progress (steps of its own graph)
CREATE OR REPLACE FUNCTION ledger_follow(p_run uuid, p_ended uuid[], p_cancelled boolean, OUT ready uuid[], OUT ended uuid[], OUT done int, OUT events jsonb[])
LANGUAGE plpgsql AS $$
DECLARE
  v_free uuid[] := '{}';
  v_parent record;
  v_held uuid[];
BEGIN
  ready := '{}'; ended := '{}'; events := '{}';
  SELECT count(*) INTO done FROM runs_steprun WHERE id = ANY (p_ended) AND parent_id IS NULL;
  IF NOT p_cancelled THEN
    WITH freed AS (
      UPDATE runs_steprun s SET blocked_by = s.blocked_by - d.n
        FROM (SELECT i.step_run_id, count(DISTINCT i.source_id)::int AS n FROM runs_stepinput i WHERE i.source_id = ANY (p_ended) GROUP BY i.step_run_id) d
       WHERE s.id = d.step_run_id AND s.status = 'queued'
      RETURNING s.id, s.blocked_by)
    SELECT coalesce(array_agg(id) FILTER (WHERE blocked_by = 0), '{}') INTO v_free FROM freed;
  END IF;
  IF cardinality(v_free) > 0 THEN
    WITH come AS (
      SELECT i.step_run_id, i.port, i.need, count(o.port) AS n, count(*) AS wires
        FROM runs_stepinput i LEFT JOIN runs_stepoutput o ON o.step_run_id = i.source_id AND o.port = i.output
       WHERE i.step_run_id = ANY (v_free) GROUP BY i.step_run_id, i.port, i.need),
    passed AS (
      UPDATE runs_steprun SET status = 'skipped', skip_reason = 'branch not taken', finished_at = clock_timestamp()
       WHERE id IN (SELECT step_run_id FROM come WHERE need = 'all' AND n < wires OR need = 'any' AND n = 0)
      RETURNING id, step, attempt, position)
    SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(ledger_step_event(p_run, id, step, 'skipped', attempt, 0, '') ORDER BY position), '{}')
      INTO ended, events FROM passed;
    UPDATE runs_steprun SET ready_at = clock_timestamp(), content_key = ledger_dynamic_key(id)
     WHERE id = ANY (v_free) AND status = 'queued';
    SELECT coalesce(array_agg(id ORDER BY position), '{}') INTO ready FROM runs_steprun WHERE id = ANY (v_free) AND status = 'queued';
  END IF;
  FOR v_parent IN
    UPDATE runs_steprun p
       SET children_open = p.children_open - c.n, children_failed = p.children_failed + c.failed,
           progress = 1 - (p.children_open - c.n)::float8 / greatest(p.children_total, 1)
      FROM (SELECT parent_id, count(*)::int AS n, count(*) FILTER (WHERE status = 'failed')::int AS failed
              FROM runs_steprun WHERE id = ANY (p_ended) AND parent_id IS NOT NULL GROUP BY parent_id) c
     WHERE p.id = c.parent_id AND p.status = 'running' AND p.worker = ''
    RETURNING p.id, p.step, p.attempt, p.children_open, p.progress, p.children_failed, p.children_total, c.n
  LOOP
    IF v_parent.children_open > 0 THEN
      events := events || ledger_step_event(p_run, v_parent.id, v_parent.step, 'running', v_parent.attempt, v_parent.progress,
        (v_parent.children_total - v_parent.children_open) || ' of ' || v_parent.children_total || CASE WHEN v_parent.children_failed > 0 THEN ', ' || v_parent.children_failed || ' failed' ELSE '' END);
      CONTINUE WHEN p_cancelled;
      WITH next AS (
        UPDATE runs_steprun SET held = false, blocked_by = 0, ready_at = clock_timestamp(), content_key = ledger_dynamic_key(id)
         WHERE id IN (SELECT id FROM runs_steprun WHERE parent_id = v_parent.id AND held AND status = 'queued' ORDER BY shard LIMIT v_parent.n)
        RETURNING id, shard)
      SELECT coalesce(array_agg(id ORDER BY shard), '{}') INTO v_held FROM next;
      ready := ready || v_held;
    ELSIF p_cancelled THEN
      UPDATE runs_steprun SET status = 'cancelled', finished_at = clock_timestamp(), message = '' WHERE id = v_parent.id;
      ended := ended || v_parent.id;
      events := events || ledger_step_event(p_run, v_parent.id, v_parent.step, 'cancelled', v_parent.attempt, v_parent.progress, '');
    ELSE
      UPDATE runs_steprun SET status = 'queued', ready_at = clock_timestamp(), announced_at = NULL WHERE id = v_parent.id;
      ready := ready || v_parent.id;
    END IF;
  END LOOP;
END $$;
