-- What every change of a run ends with, in the same transaction: free what waited for the steps that ended, look at what has become
-- unblocked (reuse it or make it ready), hand the next ready step to the calling worker if it takes one, choose which others to announce,
-- count, and complete the run when nothing is left. The caller holds the run's row lock.
--   p_ended   steps the caller has just brought to an end      p_front   steps the caller has made ready itself
--   p_queue, p_worker, p_take   who asks, and whether it takes another step of this run
--   p_prefer  the step to take if it is ready (the one a wake-up named)
--   p_wakes   the most wake-ups to hand out (each wakes one worker, which then goes on through the ledger)
--   p_ahead   how many steps the worker may run after that one on its own word (19_ahead.sql)
--   p_done    how many steps have ended besides, from which nothing follows
--   p_held    steps that the worker was given besides and has not begun: it goes on with these (`kept`), or they are put back
CREATE OR REPLACE FUNCTION ledger_settle(
  p_run uuid, p_ended uuid[], p_front uuid[], p_queue text, p_worker text, p_take boolean, p_wakes int, p_events jsonb[],
  p_prefer uuid DEFAULT NULL, p_ahead int DEFAULT 0, p_done int DEFAULT 0, p_held uuid[] DEFAULT '{}'
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run record;
  v_ended uuid[] := p_ended;
  v_front uuid[] := p_front;
  v_ready uuid[] := '{}';
  v_hits uuid[];
  v_sources uuid[];
  v_done int := p_done;
  v_events jsonb[] := p_events;
  v_next uuid;
  v_devices jsonb;
  v_payload jsonb;
  v_event jsonb;
  v_announce jsonb := '[]'::jsonb;
  v_told jsonb := '[]'::jsonb;
  v_reused boolean := false;
  v_follow record;
  v_found record;
  v_take boolean := p_take;
  v_limited boolean;
  -- Steps that wait for less now, of which this is not written yet: the one that is taken is written once.
  v_free uuid[] := '{}';
  v_left int[];
  v_keys text[];
  v_first uuid;
  v_choosy boolean;
  -- What arrived at the step in `v_first`, where that is known already.
  v_inputs jsonb;
  v_only record;
  v_wires int;
  v_quick boolean;
  v_status text;
  v_id bigint;
  v_attempt int;
  v_started timestamptz;
  v_line jsonb := '[]'::jsonb;
  v_beside int := 0;
  v_leave boolean := false;
  v_kept boolean := false;
BEGIN
  SELECT r.project_id, r.status, r.use_cache, r.cancel_requested AND NOT r.undoing AS cancelled, r.cancel_requested, r.undoing, r.steps_total, r.steps_done,
         r.dynamic, r.error IS NOT NULL AS failed, r.priority, r.limited,
         EXISTS (SELECT 1 FROM runs_run o WHERE o.status IN ('queued', 'running', 'waiting') AND o.priority > r.priority) AS behind,
         EXISTS (SELECT 1 FROM runs_host h WHERE p_take AND h.id = ledger_host(p_worker) AND h.wanted <> 'running') AS closed
    INTO v_run FROM runs_run r WHERE r.id = p_run;
  v_limited := v_run.limited;
  IF p_held <> '{}' THEN
    v_kept := p_take AND p_ahead > 0 AND NOT (v_run.dynamic OR v_limited OR v_run.behind OR v_run.cancel_requested OR v_run.closed)
              AND NOT EXISTS (SELECT 1 FROM unnest(p_held) h WHERE NOT EXISTS (
                SELECT 1 FROM runs_steprun s WHERE s.id = h AND s.run_id = p_run AND s.status = 'running' AND s.worker = p_worker));
    IF NOT v_kept THEN
      v_found := ledger_put_back(p_run, p_worker, p_held);
      v_front := v_front || v_found.front;
      v_ended := v_ended || v_found.gone;
      v_events := v_events || v_found.events;
    END IF;
  END IF;

  LOOP
    IF cardinality(v_ended) > 0 THEN
      IF v_run.dynamic THEN
        v_follow := ledger_follow(p_run, v_ended, v_run.cancelled);
        v_done := v_done + v_follow.done;
        v_front := v_front || v_follow.ready;
        v_events := v_events || v_follow.events;
        v_ended := v_follow.ended;
      ELSE
        v_done := v_done + cardinality(v_ended);
        v_wires := 0;
        v_quick := false;
        IF NOT v_run.cancelled AND cardinality(v_ended) = 1 THEN
          FOR v_only IN SELECT * FROM ledger_wired(v_ended[1]) LIMIT 2 LOOP
            v_wires := v_wires + 1;
            v_quick := v_wires = 1 AND (v_only.alone OR v_only.blocked > 0);
          END LOOP;
        END IF;
        IF v_quick THEN
          -- One wire leads on from here: the most frequent case, without what many at once have to be asked.
          IF v_only.blocked > 0 THEN
            UPDATE runs_steprun SET blocked_by = v_only.blocked WHERE id = v_only.id;
          ELSE
            v_free := ARRAY[v_only.id];
            v_left := ARRAY[0];
            v_keys := ARRAY[CASE WHEN v_only.cacheable THEN v_only.key ELSE '' END];
            IF v_only.cacheable AND v_only.look AND v_run.use_cache THEN
              SELECT array_agg(k.id) INTO v_sources FROM ledger_known(v_run.project_id, v_only.key) k;
            END IF;
            IF v_sources IS NOT NULL THEN
              v_hits := v_free;
            ELSE
              v_ready := v_ready || v_only.id;
              v_choosy := v_only.choosy;
              IF v_only.queue = p_queue THEN
                v_first := v_only.id;
                v_inputs := v_only.inputs;
              END IF;
            END IF;
          END IF;
        ELSIF NOT v_run.cancelled AND (v_wires > 0 OR cardinality(v_ended) > 1) AND v_run.steps_done + v_done < v_run.steps_total THEN
          SELECT array_agg(f.id), array_agg(f.blocked), array_agg(f.key), v_ready || array_agg(f.id) FILTER (WHERE f.blocked = 0 AND f.hit IS NULL),
                 array_agg(f.id) FILTER (WHERE f.hit IS NOT NULL), array_agg(f.hit) FILTER (WHERE f.hit IS NOT NULL),
                 (array_agg(f.id) FILTER (WHERE f.blocked = 0 AND f.queue = p_queue))[1], bool_or(f.needs IS NOT NULL OR f.queue = 'gpu')
            INTO v_free, v_left, v_keys, v_ready, v_hits, v_sources, v_first, v_choosy
            FROM (SELECT s.id, s.blocked_by - d.n AS blocked, CASE WHEN s.blocked_by = d.n AND s.cacheable THEN k.key ELSE '' END AS key, s.queue, s.needs, hit.id AS hit
                    FROM (SELECT i.step_run_id, count(DISTINCT i.source_id)::int AS n FROM runs_stepinput i WHERE i.source_id = ANY (v_ended) GROUP BY i.step_run_id) d
                    JOIN runs_steprun s ON s.id = d.step_run_id
                    CROSS JOIN LATERAL ledger_content_key(CASE WHEN s.blocked_by = d.n AND s.cacheable THEN s.id END, s.component, s.component_version, s.parameters) k
                    LEFT JOIN LATERAL ledger_known(v_run.project_id, CASE WHEN s.blocked_by = d.n AND s.cacheable AND NOT s.fresh AND s.attempt = 0
                                                                               AND v_run.use_cache THEN k.key ELSE '' END) hit ON true
                   WHERE s.status = 'queued' ORDER BY s.position) f;
        END IF;
        v_ended := '{}';
      END IF;
    END IF;
    IF cardinality(v_front) > 0 AND NOT v_run.cancelled THEN
      v_ready := v_ready || v_front;
      IF v_run.use_cache THEN
        v_found := ledger_reusable(v_run.project_id, v_front);
        v_hits := v_hits || v_found.steps;
        v_sources := v_sources || v_found.sources;
      END IF;
      v_front := '{}';
    END IF;
    IF cardinality(v_hits) > 0 THEN
      PERFORM ledger_unblock(v_free, v_left, v_keys);
      v_free := '{}';
      PERFORM ledger_reuse(v_hits, v_sources);
      v_reused := true;
      v_ready := (SELECT coalesce(array_agg(f), '{}') FROM unnest(v_ready) f WHERE NOT f = ANY (v_hits));
      v_ended := v_ended || v_hits;
      v_events := v_events || (
        SELECT array_agg(ledger_step_event(p_run, s.id, s.step, 'skipped', s.attempt, 1, '') ORDER BY s.position)
          FROM runs_steprun s WHERE s.id = ANY (v_hits));
    END IF;
    v_hits := NULL; v_sources := NULL;
    EXIT WHEN cardinality(v_ended) = 0;
  END LOOP;

  IF v_run.dynamic AND NOT v_run.undoing AND (v_run.failed OR v_run.cancel_requested) AND v_run.steps_done + v_done = v_run.steps_total THEN
    v_next := ledger_undo(p_run);
    IF v_next IS NOT NULL THEN
      v_ready := array_append(v_ready, v_next);
      v_run.cancelled := false;
      v_next := NULL;
    END IF;
  END IF;

  IF v_kept THEN
    v_first := NULL;
    v_payload := '{}';
  ELSIF NOT v_run.cancelled AND p_queue <> '' THEN
    IF p_take AND p_prefer IS NULL AND v_run.behind THEN
      v_take := ledger_better(p_queue, v_run.priority, p_worker) IS NULL;
    END IF;
    IF v_take AND v_limited THEN
      v_take := ledger_place(p_run, v_run.project_id, true);
    END IF;
    IF v_reused OR v_choosy THEN
      PERFORM ledger_unblock(v_free, v_left, v_keys);
      v_free := '{}';
      v_first := NULL;
    END IF;
    -- First what has just become ready (its inputs are still in this worker's memory), then whatever waits longest.
    v_next := v_first;
    IF v_next IS NULL AND (cardinality(v_ready) > 0 OR p_prefer IS NOT NULL) THEN
      SELECT id INTO v_next FROM runs_steprun
       WHERE id = ANY (array_append(v_ready, p_prefer)) AND queue = p_queue AND status = 'queued' AND blocked_by = 0 AND ready_at <= clock_timestamp()
         AND (needs IS NULL AND p_queue <> 'gpu' OR ledger_fits(id, p_worker))
       ORDER BY position LIMIT 1;
    END IF;
    IF v_next IS NULL THEN
      SELECT id INTO v_next FROM runs_steprun
       WHERE run_id = p_run AND queue = p_queue AND status = 'queued' AND blocked_by = 0 AND ready_at <= clock_timestamp()
         AND (needs IS NULL AND p_queue <> 'gpu' OR ledger_fits(id, p_worker))
       ORDER BY ready_at LIMIT 1;
    END IF;
    IF v_next IS NOT NULL AND v_take AND NOT v_run.closed THEN
      IF p_queue = 'gpu' THEN
        PERFORM ledger_lease(v_next, p_worker);
        v_devices := ledger_devices(v_next, p_queue);
      END IF;
      -- A new attempt begins. The step that was freed just now is written here and not below.
      IF v_inputs IS NULL OR v_next IS DISTINCT FROM v_first THEN
        SELECT i.inputs INTO v_inputs
          FROM runs_steprun s CROSS JOIN LATERAL ledger_inputs(CASE WHEN s.shard IS NULL THEN s.id ELSE s.parent_id END) i WHERE s.id = v_next;
      END IF;
      v_leave := p_ahead > 0 AND NOT (v_run.dynamic OR v_limited OR v_run.behind OR v_run.cancel_requested) AND p_queue <> 'gpu';
      IF v_leave THEN
        v_line := ledger_line(v_next, p_queue, v_run.use_cache, p_ahead);
        v_beside := CASE WHEN p_prefer IS NULL THEN p_ahead ELSE 0 END;
      END IF;
      IF v_next = v_first THEN
        UPDATE runs_steprun s
           SET status = 'running', attempt = s.attempt + 1, worker = p_worker, heartbeat_at = clock_timestamp(), started_at = clock_timestamp(),
               finished_at = NULL, progress = 0, message = '', batch = 0, ahead = v_leave, blocked_by = 0, ready_at = clock_timestamp(),
               content_key = v_keys[array_position(v_free, v_next)]
         WHERE s.id = v_next
        RETURNING s.attempt, s.started_at, ledger_claimed(s, v_inputs, v_devices), ledger_step_event(p_run, s.id, s.step, 'running', s.attempt, 0, '')
          INTO v_attempt, v_started, v_payload, v_event;
      ELSE
        UPDATE runs_steprun s
           SET status = 'running', attempt = s.attempt + 1, worker = p_worker, heartbeat_at = clock_timestamp(), started_at = clock_timestamp(),
               finished_at = NULL, progress = 0, message = '', batch = 0, ahead = v_leave
         WHERE s.id = v_next
        RETURNING s.attempt, s.started_at, ledger_claimed(s, v_inputs, v_devices), ledger_step_event(p_run, s.id, s.step, 'running', s.attempt, 0, '')
          INTO v_attempt, v_started, v_payload, v_event;
      END IF;
      INSERT INTO runs_attempt (step_run_id, number, status, worker, started_at) VALUES (v_next, v_attempt, 'running', p_worker, v_started);
      v_events := v_events || v_event;
      v_ready := array_remove(v_ready, v_next);
      v_next := NULL;
    ELSE
      v_first := NULL;
      IF v_next IS NOT NULL AND NOT v_next = ANY (v_ready) THEN
        v_ready := v_next || v_ready;  -- the worker goes to the back of the queue: somebody must be woken for what it leaves
      END IF;
    END IF;
  ELSE
    v_first := NULL;
  END IF;

  IF NOT v_kept AND v_payload IS NOT NULL AND v_line = '[]' AND v_beside > 0 THEN
    v_found := ledger_beside(p_run, p_queue, p_worker, v_beside);
    v_line := v_found.claims;
    v_events := v_events || v_found.events;
  END IF;

  IF cardinality(v_free) > (v_first IS NOT NULL)::int THEN
    SELECT array_agg(f.id), array_agg(f.n), array_agg(f.key) INTO v_free, v_left, v_keys
      FROM unnest(v_free, v_left, v_keys) f(id, n, key) WHERE f.id IS DISTINCT FROM v_first;
    PERFORM ledger_unblock(v_free, v_left, v_keys);
  END IF;

  IF cardinality(v_ready) > 0 THEN
    -- No more than there are workers to hear of it, of whom this one is busy: each too many would ask for nothing, and look like others who wait.
    WITH free AS MATERIALIZED (
      SELECT q.id, q.queue, q.needs IS NULL AND q.queue <> 'gpu' AS anywhere, row_number() OVER (PARTITION BY q.queue ORDER BY q.ready_at, q.position) AS place
        FROM runs_steprun q WHERE q.id = ANY (v_ready)),
    hearing AS (SELECT f.queue, least(p_wakes, ledger_workers(f.queue) - (v_payload IS NOT NULL AND f.queue = p_queue)::int) AS most
                  FROM (SELECT DISTINCT queue FROM free WHERE anywhere) f),
    told AS (
      UPDATE runs_steprun s SET announced_at = clock_timestamp()
       WHERE s.id IN (SELECT f.id FROM free f LEFT JOIN hearing h ON f.anywhere AND h.queue = f.queue WHERE f.place <= coalesce(h.most, p_wakes))
      RETURNING s.id, s.queue, s.position, s.needs
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'queue', r.queue) ORDER BY t.position), '[]'::jsonb) INTO v_announce
      FROM told t CROSS JOIN LATERAL unnest(ledger_told(t.queue, t.needs)) r(queue);
  END IF;

  IF v_done > 0 OR v_payload IS NOT NULL OR v_run.dynamic THEN
    IF v_payload IS NOT NULL AND v_run.status = 'running' AND v_run.steps_done + v_done < v_run.steps_total THEN
      v_run.steps_done := v_run.steps_done + v_done;
      UPDATE runs_run SET steps_done = v_run.steps_done WHERE id = p_run;
    ELSE
      UPDATE runs_run
         SET steps_done = steps_done + v_done,
             status = CASE WHEN steps_done + v_done < steps_total THEN
                             CASE WHEN v_payload IS NOT NULL THEN 'running'
                                  WHEN dynamic AND ledger_waits(p_run) THEN 'waiting' WHEN status = 'waiting' THEN 'running' ELSE status END
                           WHEN cancel_requested THEN 'cancelled' WHEN error IS NOT NULL THEN 'failed' ELSE 'succeeded' END,
             started_at = CASE WHEN started_at IS NULL AND (v_payload IS NOT NULL OR steps_done + v_done = steps_total) THEN clock_timestamp() ELSE started_at END,
             finished_at = CASE WHEN steps_done + v_done = steps_total THEN clock_timestamp() END
       WHERE id = p_run
      RETURNING status, steps_total, steps_done INTO v_status, v_run.steps_total, v_run.steps_done;
    END IF;
    IF v_reused THEN
      PERFORM ledger_metrics(p_run);
    END IF;
    IF v_run.steps_done = v_run.steps_total THEN
      PERFORM ledger_lineage(ledger_untold(p_run));
    END IF;
    IF v_status <> v_run.status THEN
      v_run.status := v_status;
      v_events := v_events || jsonb_build_object('type', 'run_changed', 'run', p_run, 'status', v_run.status, 'steps_done', v_run.steps_done,
                                                 'progress', round(v_run.steps_done::numeric / greatest(v_run.steps_total, 1), 4));
    END IF;
  END IF;
  IF v_limited AND v_payload IS NULL AND p_prefer IS NULL THEN
    v_announce := v_announce || ledger_admit(v_run.project_id);  -- a place may be free now that others wait for
  END IF;
  -- Under the run's row lock: a run's numbers become visible in order.
  IF cardinality(v_events) BETWEEN 1 AND 3 THEN
    FOREACH v_event IN ARRAY v_events LOOP
      INSERT INTO runs_runevent (run_id, payload, at) VALUES (p_run, v_event, clock_timestamp()) RETURNING id INTO v_id;
      v_told := v_told || (v_event || jsonb_build_object('seq', v_id));
    END LOOP;
  ELSIF cardinality(v_events) > 0 THEN
    WITH kept AS (
      INSERT INTO runs_runevent (run_id, payload, at) SELECT p_run, e, clock_timestamp() FROM unnest(v_events) WITH ORDINALITY AS t(e, n) ORDER BY n
      RETURNING id, payload)
    SELECT jsonb_agg(payload || jsonb_build_object('seq', id) ORDER BY id) INTO v_told FROM kept;
  END IF;
  RETURN jsonb_build_object(
    'ok', true, 'next', CASE WHEN NOT v_kept THEN v_payload END, 'kept', v_kept, 'ahead', v_line, 'ready', v_announce, 'project_id', v_run.project_id, 'run', p_run, 'status', v_run.status,
    'steps_done', v_run.steps_done, 'steps_total', v_run.steps_total,
    'events', v_told);
END $$;

-- Whether all that a run still does is wait for people.
CREATE OR REPLACE FUNCTION ledger_waits(p_run uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM runs_steprun WHERE run_id = p_run AND status = 'waiting')
     AND NOT EXISTS (SELECT 1 FROM runs_steprun WHERE run_id = p_run AND (status = 'running' AND worker <> '' OR status = 'queued' AND blocked_by = 0))
$$;

-- The steps to which wires lead from a step that has ended (one row a wire). `blocked`: how many steps each waits for then; `alone`: it waits
-- for none, and this is its only wire, so `inputs` and `key` are what ledger_inputs and ledger_content_key would say. Of steps that are queued only.
CREATE OR REPLACE FUNCTION ledger_wired(p_source uuid) RETURNS TABLE (
  id uuid, blocked int, alone boolean, queue text, choosy boolean, cacheable boolean, look boolean, key text, inputs jsonb
) LANGUAGE sql STABLE AS $$
  SELECT s.id, s.blocked_by - 1, s.blocked_by = 1 AND NOT EXISTS (SELECT 1 FROM runs_stepinput x WHERE x.step_run_id = d.step_run_id AND x.id <> d.id),
         s.queue, s.needs IS NOT NULL OR s.queue = 'gpu', s.cacheable, NOT s.fresh AND s.attempt = 0,
         encode(sha256(convert_to(
           s.component || chr(10) || s.component_version || chr(10) || s.parameters::text || chr(10) || coalesce(
             d.port || ' ' || d.position || ' ' || a.kind || ' ' || a.digest || ' ' || o.metadata::text, ''), 'UTF8')), 'hex'),
         CASE WHEN a.id IS NOT NULL THEN jsonb_build_object(d.port, jsonb_build_array(jsonb_build_object(
           'id', a.id, 'kind', a.kind, 'digest', a.digest, 'size', a.size, 'media_type', a.media_type, 'inline', a.inline, 'metadata', o.metadata))) ELSE '{}' END
    FROM runs_stepinput d
    JOIN runs_steprun s ON s.id = d.step_run_id
    LEFT JOIN runs_stepoutput o ON o.step_run_id = d.source_id AND o.port = d.output
    LEFT JOIN artifacts_artifact a ON a.id = o.artifact_id
   WHERE d.source_id = p_source AND s.status = 'queued'
$$;
