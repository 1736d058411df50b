-- A worker that runs quick steps one after another need not ask after each of them. With a step it gets those that follow from it alone, and ends
-- one and begins the next by a note of one row, committed like everything else; what notes say is brought into the step runs together
-- (`ledger_fold`): with the worker's next ordinary call, after at most a twentieth of a second of quick steps (`workers.engine.ahead`).
-- `runs_steprun.ahead` of the step that a worker was given is its leave to write notes. A note takes a share of that step's lock (`ledger_leave`)
-- and looks at the row once it has it: whoever takes the leave back (`ledger_close`) has the lock alone, and sees all notes before it, or none
-- come after. It is no row lock, since what notes say is brought in beside the steps (`ledger_bring_in`), and that writes this row.

CREATE OR REPLACE FUNCTION ledger_leave(p_head uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT uuid_hash_extended(p_head, 19)
$$;

-- No note of a worker ('': of any) comes after this until it is given leave anew. The caller holds the run's row lock. Of a worker that ends
-- an attempt of a step: nothing is closed if it has done so before, and only asks again. `p_held` keep their leave: their worker has not begun them, so
-- no note from them is on its way.
CREATE OR REPLACE FUNCTION ledger_close(p_run uuid, p_worker text, p_step uuid DEFAULT NULL, p_attempt int DEFAULT 0, p_held uuid[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_heads uuid[];
BEGIN
  SELECT array_agg(id ORDER BY id) INTO v_heads FROM runs_steprun WHERE run_id = p_run AND ahead AND (p_worker = '' OR worker = p_worker) AND id <> ALL (p_held);
  IF v_heads IS NULL OR EXISTS (SELECT 1 FROM runs_attempt WHERE step_run_id = p_step AND number = p_attempt AND status <> 'running') THEN
    RETURN;
  END IF;
  FOR n IN 1 .. cardinality(v_heads) LOOP
    PERFORM pg_advisory_xact_lock(ledger_leave(v_heads[n]));
  END LOOP;
  UPDATE runs_steprun SET ahead = false WHERE id = ANY (v_heads);
END $$;

-- The steps that follow from a step by one wire each, as claims: `wire` {port, position, output}, `look`: whether an earlier result may be there,
-- `key`: the beginning of the name of the content (null: not cacheable). Of a run without patterns.
CREATE OR REPLACE FUNCTION ledger_line(p_step uuid, p_queue text, p_use_cache boolean, p_most int) RETURNS jsonb LANGUAGE sql STABLE AS $$
  WITH RECURSIVE line AS (
    SELECT 0 AS n, p_step AS id, NULL::jsonb AS claim
    UNION ALL
    SELECT line.n + 1, s.id,
           ledger_claimed(s, NULL, NULL) || jsonb_build_object(
             'attempt', s.attempt + 1, 'wire', jsonb_build_object('port', w.port, 'position', w.position, 'output', w.output),
             'look', s.cacheable AND NOT s.fresh AND s.attempt = 0 AND p_use_cache,
             'key', CASE WHEN s.cacheable THEN s.component || chr(10) || s.component_version || chr(10) || s.parameters::text || chr(10) END)
      FROM line
     CROSS JOIN LATERAL (SELECT * FROM runs_stepinput i WHERE i.source_id = line.id LIMIT 2) w
      JOIN runs_steprun s ON s.id = w.step_run_id
     WHERE line.n < p_most AND s.status = 'queued' AND s.blocked_by = 1 AND s.queue = p_queue AND s.needs IS NULL AND s.flow IS NULL AND w.need <> 'after'
       AND NOT EXISTS (SELECT 1 FROM runs_stepinput o WHERE o.source_id = line.id AND o.id <> w.id)
       AND NOT EXISTS (SELECT 1 FROM runs_stepinput o WHERE o.step_run_id = s.id AND o.id <> w.id))
  SELECT coalesce(jsonb_agg(claim ORDER BY n), '[]') FROM line WHERE n > 0
$$;

-- More steps for a worker that has just taken one: its share of those that are ready and all alike to the ledger, so that others find some; a few
-- are not worth sharing. They count as running from here on; what the worker does not come to within a moment it gives back
-- (`ledger_return`). None that has failed or lost its worker before: that is its own affair, not its neighbours'. The caller holds the run's row lock.
CREATE OR REPLACE FUNCTION ledger_beside(p_run uuid, p_queue text, p_worker text, p_most int, OUT claims jsonb, OUT events jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_ids uuid[];
  v_shares int := 1 + coalesce(ledger_workers(p_queue), 3);
BEGIN
  claims := '[]';
  events := '{}';
  SELECT array_agg(f.id) INTO v_ids FROM (
    SELECT s.id FROM runs_steprun s
     WHERE s.run_id = p_run AND s.queue = p_queue AND s.status = 'queued' AND s.blocked_by = 0 AND s.ready_at <= clock_timestamp()
       AND s.needs IS NULL AND s.flow IS NULL AND s.failures = 0 AND s.losses = 0
     ORDER BY s.ready_at LIMIT v_shares * p_most) f;
  v_ids := v_ids[1:least(p_most, greatest(cardinality(v_ids) / v_shares, 8))];
  IF coalesce(cardinality(v_ids), 0) = 0 THEN
    RETURN;
  END IF;
  WITH taken AS (
    UPDATE runs_steprun s
       SET status = 'running', attempt = s.attempt + 1, worker = p_worker, heartbeat_at = clock_timestamp(), started_at = clock_timestamp(), finished_at = NULL,
           progress = 0, message = '', batch = 0, ahead = true
     WHERE s.id = ANY (v_ids)
    RETURNING s.*),
  begun AS (
    INSERT INTO runs_attempt (step_run_id, number, status, worker, started_at) SELECT id, attempt, 'running', p_worker, started_at FROM taken)
  SELECT jsonb_agg(ledger_claimed(t::runs_steprun, i.inputs, NULL) ORDER BY t.position),
         array_agg(ledger_step_event(p_run, t.id, t.step, 'running', t.attempt, 0, '') ORDER BY t.position)
    INTO claims, events FROM taken t CROSS JOIN LATERAL ledger_inputs(t.id) i;
END $$;

-- Steps that a worker was given besides and has not begun: others may have them (`front`), or nobody (`gone`) where the run was cancelled.
-- The caller holds the run's row lock.
CREATE OR REPLACE FUNCTION ledger_put_back(p_run uuid, p_worker text, p_steps uuid[], OUT front uuid[], OUT gone uuid[], OUT events jsonb[]) LANGUAGE sql VOLATILE AS $$
  WITH back AS (
    UPDATE runs_steprun s SET status = CASE WHEN r.cancel_requested AND NOT r.undoing THEN 'cancelled' ELSE 'queued' END, attempt = s.attempt - 1, worker = '',
                              ahead = false, ready_at = clock_timestamp(), announced_at = NULL, started_at = NULL,
                              finished_at = CASE WHEN r.cancel_requested AND NOT r.undoing THEN clock_timestamp() END
      FROM runs_run r WHERE r.id = p_run AND s.id = ANY (p_steps) AND s.status = 'running' AND s.worker = p_worker
    RETURNING s.id, s.step, s.status, s.attempt, s.position),
  undone AS (DELETE FROM runs_attempt a USING back b WHERE a.step_run_id = b.id AND a.number = b.attempt + 1)
  SELECT coalesce(array_agg(b.id ORDER BY b.position) FILTER (WHERE b.status = 'queued'), '{}'),
         coalesce(array_agg(b.id ORDER BY b.position) FILTER (WHERE b.status = 'cancelled'), '{}'),
         coalesce(array_agg(ledger_step_event(p_run, b.id, b.step, b.status, b.attempt, 0, '') ORDER BY b.position), '{}') FROM back b
$$;

-- The same as a call of its own: the step that the worker runs takes longer than thought, or has failed.
CREATE OR REPLACE FUNCTION ledger_return(p_run uuid, p_worker text, p_steps uuid[], p_wakes int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_back record;
BEGIN
  PERFORM 1 FROM runs_run WHERE id = p_run FOR NO KEY UPDATE;
  v_back := ledger_put_back(p_run, p_worker, p_steps);
  RETURN ledger_settle(p_run, v_back.gone, v_back.front, '', '', false, p_wakes, v_back.events);
END $$;

-- A step has succeeded and the next of its line begins; or (p_next null) the worker goes on with one that it was given besides. False: ask the
-- ledger in the ordinary way (`ledger_finish`): the worker has no leave any more, or an earlier result of the next step is there. A worker sends a
-- note once: where the answer is lost, it asks in the ordinary way, too, and is told what became of it.
--   p_head, p_head_attempt   the step that the worker was given, with leave to go on
--   p_output                 which of `p_outputs` goes to the next step; p_key: the beginning of the name of its content
CREATE OR REPLACE FUNCTION ledger_note(
  p_head uuid, p_head_attempt int, p_worker text, p_step uuid, p_attempt int, p_outputs jsonb, p_used jsonb, p_next uuid, p_next_attempt int,
  p_output int, p_key text, p_look boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_key text := '';
BEGIN
  IF p_key IS NOT NULL THEN
    v_key := encode(sha256(convert_to(p_key || (p_outputs -> p_output -> 'metadata')::text, 'UTF8')), 'hex');
  END IF;
  PERFORM pg_advisory_xact_lock_shared(ledger_leave(p_head));
  INSERT INTO runs_note (run_id, worker, step_run_id, attempt, outputs, used, next_id, next_attempt, next_key, at)
  SELECT h.run_id, p_worker, p_step, p_attempt, p_outputs, p_used, p_next, p_next_attempt, v_key, clock_timestamp()
    FROM runs_steprun h
   WHERE h.id = p_head AND h.ahead AND h.attempt = p_head_attempt AND h.worker = p_worker
     AND NOT (p_look AND EXISTS (SELECT 1 FROM ledger_known(h.project_id, v_key)))
  ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;

-- Brings into the step runs what notes of a run say (of one worker, or of all: ''), and counts nothing: `events`, how many
-- steps of lines are `done` (nothing else follows from them: what is next in a line has begun), and which others have `ended` are for
-- `ledger_settle`. The caller holds the run's row lock. `p_go_on`: whether notes may follow, with leave from the step that runs; `p_keep`: from
-- this one still, though it has ended.
CREATE OR REPLACE FUNCTION ledger_fold(p_run uuid, p_worker text, p_go_on boolean, p_keep uuid DEFAULT NULL, OUT done int, OUT ended uuid[], OUT events jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_notes runs_note[];
  v_ended uuid[];
BEGIN
  done := 0;
  ended := '{}';
  events := '{}';
  WITH gone AS (DELETE FROM runs_note n WHERE n.run_id = p_run AND (p_worker = '' OR n.worker = p_worker) RETURNING n AS note)
  SELECT array_agg(note ORDER BY (note).at), array_agg((note).step_run_id ORDER BY (note).at), count((note).next_id),
         coalesce(array_agg((note).step_run_id ORDER BY (note).at) FILTER (WHERE (note).next_id IS NULL), '{}')
    INTO v_notes, v_ended, done, ended FROM gone;
  IF v_notes IS NULL THEN
    RETURN;
  END IF;
  -- In one order for all: two who store the same things must not wait for each other.
  INSERT INTO artifacts_artifact (id, project_id, kind, digest, size, media_type, inline, metadata, created_at)
  SELECT DISTINCT ON (o ->> 'kind', o ->> 'digest') ledger_uuid(), r.project_id, o ->> 'kind', o ->> 'digest', (o ->> 'size')::bigint, o ->> 'media_type',
         nullif(o -> 'inline', 'null'::jsonb), o -> 'metadata', n.at
    FROM unnest(v_notes) n CROSS JOIN LATERAL jsonb_array_elements(n.outputs) o CROSS JOIN (SELECT project_id FROM runs_run WHERE id = p_run) r
   ORDER BY o ->> 'kind', o ->> 'digest', n.at
  ON CONFLICT (project_id, kind, digest) DO NOTHING;
  INSERT INTO runs_stepoutput (step_run_id, port, artifact_id, metadata)
  SELECT n.step_run_id, o ->> 'port', a.id, o -> 'metadata'
    FROM unnest(v_notes) n CROSS JOIN LATERAL jsonb_array_elements(n.outputs) o
    JOIN artifacts_artifact a ON a.project_id = (SELECT project_id FROM runs_run WHERE id = p_run) AND a.kind = o ->> 'kind' AND a.digest = o ->> 'digest';
  -- A step of a line is once what a note ends and, but for the first, once what the note before it began. Others the ledger has begun.
  WITH told AS (
    SELECT coalesce(e.step_run_id, b.next_id) AS id, coalesce(e.attempt, b.next_attempt) AS attempt, e.at AS ended_at, e.used, b.at AS begun_at, b.next_key, b.worker
      FROM unnest(v_notes) e FULL JOIN (SELECT * FROM unnest(v_notes) WHERE next_id IS NOT NULL) b ON b.next_id = e.step_run_id),
  written AS (
    UPDATE runs_steprun s
       SET status = CASE WHEN t.ended_at IS NULL THEN 'running' ELSE 'succeeded' END, progress = CASE WHEN t.ended_at IS NULL THEN 0 ELSE 1 END, error = NULL,
           attempt = t.attempt, finished_at = t.ended_at, ahead = t.ended_at IS NULL AND p_go_on OR s.id IS NOT DISTINCT FROM p_keep, blocked_by = 0,
           worker = coalesce(t.worker, s.worker), started_at = coalesce(t.begun_at, s.started_at), ready_at = coalesce(t.begun_at, s.ready_at),
           heartbeat_at = coalesce(t.begun_at, s.heartbeat_at), content_key = coalesce(t.next_key, s.content_key),
           batch = CASE WHEN t.begun_at IS NULL THEN s.batch ELSE 0 END, message = CASE WHEN t.begun_at IS NULL THEN s.message ELSE '' END
      FROM told t WHERE s.id = t.id)
  INSERT INTO runs_attempt (step_run_id, number, status, worker, started_at, finished_at, peak_memory, rows)
  SELECT t.id, t.attempt, CASE WHEN t.ended_at IS NULL THEN 'running' ELSE 'succeeded' END, coalesce(t.worker, ''), coalesce(t.begun_at, t.ended_at), t.ended_at,
         (t.used ->> 'peak')::bigint, (t.used ->> 'rows')::bigint
    FROM told t
  ON CONFLICT (step_run_id, number) DO UPDATE
     SET status = excluded.status, finished_at = excluded.finished_at, peak_memory = excluded.peak_memory, rows = excluded.rows;
  -- That a step has begun is news only while it runs.
  SELECT array_agg(e.event ORDER BY n.at, e.place) INTO events
    FROM unnest(v_notes) n
    JOIN runs_steprun s ON s.id = n.step_run_id LEFT JOIN runs_steprun f ON f.id = n.next_id
   CROSS JOIN LATERAL (SELECT 0, ledger_step_event(p_run, s.id, s.step, 'succeeded', n.attempt, 1, '')
                        UNION ALL SELECT 1, ledger_step_event(p_run, f.id, f.step, 'running', n.next_attempt, 0, '')
                         WHERE f.id IS NOT NULL AND NOT f.id = ANY (v_ended)) e(place, event);
  UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = ANY (v_ended) AND revoked_at IS NULL;
  IF EXISTS (SELECT 1 FROM unnest(v_notes) n WHERE n.outputs @> '[{"kind": "Metrics"}]') THEN
    PERFORM ledger_metrics(p_run);
  END IF;
  IF p_keep IS NOT NULL THEN  -- beside the steps: nobody waits for it
    PERFORM ledger_lineage(v_ended);
  END IF;
END $$;

-- Somebody other than their worker is about to take steps of a run away: no note comes after this, and those before are brought in.
-- The caller holds the run's row lock.
CREATE OR REPLACE FUNCTION ledger_halt(p_run uuid, OUT done int, OUT ended uuid[], OUT events jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  PERFORM ledger_close(p_run, '');
  v_found := ledger_fold(p_run, '', false);
  done := v_found.done;
  ended := v_found.ended;
  events := v_found.events;
END $$;

-- What the notes of a worker say is brought in now: it is about to speak of the step it runs, or that takes longer than thought.
CREATE OR REPLACE FUNCTION ledger_catch_up(p_run uuid, p_worker text, p_wakes int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  PERFORM 1 FROM runs_run WHERE id = p_run FOR NO KEY UPDATE;
  PERFORM ledger_close(p_run, p_worker);
  v_found := ledger_fold(p_run, p_worker, true);
  RETURN ledger_settle(p_run, v_found.ended, '{}', '', p_worker, false, p_wakes, v_found.events, p_done => v_found.done);
END $$;

-- The same beside the steps, on a connection of its own, while the worker goes on by notes along a line; and what follows on `p_last`, the
-- last step of that line that the worker knows. `ahead` is empty where its leave from `p_head` was taken back. `go_on`: an ordinary question
-- would say nothing else, so none is needed for another while.
CREATE OR REPLACE FUNCTION ledger_bring_in(p_run uuid, p_worker text, p_head uuid, p_head_attempt int, p_last uuid, p_most int, p_wakes int)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_run record;
  v_queue text;
  v_found record;
  v_line jsonb := '[]';
  v_go_on boolean;
BEGIN
  SELECT r.use_cache, r.cancel_requested, r.limited,
         EXISTS (SELECT 1 FROM runs_run o WHERE o.status IN ('queued', 'running', 'waiting') AND o.priority > r.priority) AS behind,
         EXISTS (SELECT 1 FROM runs_host h WHERE h.id = ledger_host(p_worker) AND h.wanted <> 'running') AS closed
    INTO v_run FROM runs_run r WHERE r.id = p_run FOR NO KEY UPDATE;
  SELECT h.queue INTO v_queue FROM runs_steprun h WHERE h.id = p_head AND h.ahead AND h.attempt = p_head_attempt AND h.worker = p_worker;
  IF v_queue IS NULL THEN
    RETURN '{"ready": [], "events": [], "ahead": [], "go_on": false}';
  END IF;
  v_go_on := NOT (v_run.cancel_requested OR v_run.limited OR v_run.behind OR v_run.closed);
  IF v_go_on THEN
    v_line := ledger_line(p_last, v_queue, v_run.use_cache, p_most);
  END IF;
  v_found := ledger_fold(p_run, p_worker, false, p_head);
  RETURN ledger_settle(p_run, v_found.ended, '{}', '', p_worker, false, p_wakes, v_found.events, p_done => v_found.done)
         || jsonb_build_object('ahead', v_line, 'go_on', v_go_on);
END $$;
