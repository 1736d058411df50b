-- Who goes first, and how many may run: priorities across runs, and a project's limits. A run without either pays one look at an index.
-- The row of a project's limits is locked after that of a run, never before, and only by runs of projects that have one (`runs_run.limited`).

-- The best ready step of a queue among runs of a higher priority; null when there is none that this worker may run now.
CREATE OR REPLACE FUNCTION ledger_better(p_queue text, p_priority int, p_worker text) RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT f.id FROM runs_run r
   CROSS JOIN LATERAL (SELECT s.id, s.ready_at FROM runs_steprun s
                        WHERE s.run_id = r.id AND s.queue = p_queue AND s.status = 'queued' AND s.blocked_by = 0 AND s.ready_at <= clock_timestamp()
                          AND (s.needs IS NULL AND p_queue <> 'gpu' OR ledger_fits(s.id, p_worker, false))
                        ORDER BY s.ready_at LIMIT 1) f
   WHERE r.status IN ('queued', 'running', 'waiting') AND r.priority > p_priority AND (r.undoing OR NOT r.cancel_requested)
     AND (NOT r.limited OR ledger_place(r.id, r.project_id, false))
   ORDER BY r.priority DESC, f.ready_at LIMIT 1
$$;

-- How many more steps may run in a project now, and how many more runs may begin; null: as many as there are. A run that waits for a person
-- has begun and keeps its place; a step that waits for others it made holds no worker and takes none.
CREATE OR REPLACE FUNCTION ledger_room(p_project uuid, OUT steps int, OUT runs int) LANGUAGE sql VOLATILE AS $$
  SELECT l.steps_at_once - (SELECT count(*)::int FROM runs_run r JOIN runs_steprun s ON s.run_id = r.id AND s.status = 'running' AND s.worker <> ''
                             WHERE r.project_id = p_project AND r.status IN ('queued', 'running', 'waiting')),
         l.runs_at_once - (SELECT count(*)::int FROM runs_run r WHERE r.project_id = p_project AND r.status IN ('queued', 'running', 'waiting') AND r.started_at IS NOT NULL)
    FROM runs_projectlimits l WHERE l.project_id = p_project
$$;

-- Whether one more step of this run may begin. With `p_lock` that stays true until the transaction ends: others who ask wait for it.
CREATE OR REPLACE FUNCTION ledger_place(p_run uuid, p_project uuid, p_lock boolean) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_room record;
BEGIN
  IF p_lock THEN
    PERFORM 1 FROM runs_projectlimits WHERE project_id = p_project FOR NO KEY UPDATE;
  END IF;
  SELECT * INTO v_room FROM ledger_room(p_project);
  RETURN coalesce(v_room.steps > 0, true) AND (coalesce(v_room.runs > 0, true) OR EXISTS (SELECT 1 FROM runs_run WHERE id = p_run AND started_at IS NOT NULL));
END $$;

-- Wake-ups for the ready steps that free places are for, best first, of each queue as many as there are places: whoever has no worker must
-- not keep the others waiting. Marks nothing as announced: that would take row locks of other runs.
CREATE OR REPLACE FUNCTION ledger_admit(p_project uuid) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_room record;
  v_any boolean;
BEGIN
  PERFORM 1 FROM runs_projectlimits WHERE project_id = p_project FOR NO KEY UPDATE;
  v_any := NOT FOUND;
  SELECT * INTO v_room FROM ledger_room(p_project);
  IF v_room.steps <= 0 THEN
    RETURN '[]';
  END IF;
  RETURN (
    WITH going AS (
      SELECT r.id, r.priority FROM runs_run r
       WHERE r.project_id = p_project AND r.status IN ('queued', 'running', 'waiting') AND (r.undoing OR NOT r.cancel_requested)
         AND r.started_at IS NOT NULL AND (v_room.steps IS NOT NULL OR v_any)
      UNION ALL
      (SELECT r.id, r.priority FROM runs_run r
        WHERE r.project_id = p_project AND r.status IN ('queued', 'running', 'waiting') AND NOT r.cancel_requested AND r.started_at IS NULL
        ORDER BY r.priority DESC, r.created_at LIMIT greatest(coalesce(v_room.runs, 32), 0))),
    ready AS (
      SELECT s.id, s.queue, s.needs, row_number() OVER (PARTITION BY s.queue ORDER BY g.priority DESC, s.ready_at, s.position) AS place
        FROM going g JOIN runs_steprun s ON s.run_id = g.id
       WHERE s.status = 'queued' AND s.blocked_by = 0 AND s.ready_at <= clock_timestamp())
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', y.id, 'queue', r.queue) ORDER BY y.place), '[]'::jsonb)
      FROM ready y CROSS JOIN LATERAL unnest(ledger_told(y.queue, y.needs)) r(queue)
     WHERE y.place <= least(coalesce(v_room.steps, 32), 32));
END $$;

-- Runs none of whose steps may begin now, because of their project's limits.
CREATE OR REPLACE FUNCTION ledger_held() RETURNS uuid[] LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(array_agg(r.id), '{}') FROM runs_run r WHERE r.status IN ('queued', 'running', 'waiting') AND r.limited AND NOT ledger_place(r.id, r.project_id, false)
$$;

-- Sets a project's limits (both null: none). What they now leave room for is to be announced.
CREATE OR REPLACE FUNCTION ledger_limit(p_project uuid, p_steps int, p_runs int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_limited boolean := p_steps IS NOT NULL OR p_runs IS NOT NULL;
BEGIN
  -- First what the end of this transaction will ask for (the row refers to the project): who starts a run may hold that, and then wants
  -- the lock of the numbers, which keeps runs from being started meanwhile.
  PERFORM 1 FROM core_project WHERE id = p_project FOR KEY SHARE;
  PERFORM pg_advisory_xact_lock(hashtext('headrace run number'), hashtext(p_project::text));
  PERFORM 1 FROM runs_run WHERE project_id = p_project AND status IN ('queued', 'running', 'waiting') ORDER BY id FOR NO KEY UPDATE;
  UPDATE runs_run SET limited = v_limited WHERE project_id = p_project AND status IN ('queued', 'running', 'waiting') AND limited <> v_limited;
  IF v_limited THEN
    INSERT INTO runs_projectlimits (project_id, steps_at_once, runs_at_once) VALUES (p_project, p_steps, p_runs)
    ON CONFLICT (project_id) DO UPDATE SET steps_at_once = excluded.steps_at_once, runs_at_once = excluded.runs_at_once;
  ELSE
    DELETE FROM runs_projectlimits WHERE project_id = p_project;
  END IF;
  RETURN jsonb_build_object('ok', true, 'ready', ledger_admit(p_project), 'events', '[]'::jsonb);
END $$;

-- Another priority for a run that is under way. Its ready steps need no new wake-up: the next worker that asks for one takes the best.
CREATE OR REPLACE FUNCTION ledger_prioritise(p_run uuid, p_priority int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  UPDATE runs_run SET priority = p_priority WHERE id = p_run AND status IN ('queued', 'running', 'waiting');
  SELECT jsonb_build_object('ok', status IN ('queued', 'running', 'waiting'), 'status', status, 'ready', '[]'::jsonb, 'events', '[]'::jsonb) FROM runs_run WHERE id = p_run
$$;
