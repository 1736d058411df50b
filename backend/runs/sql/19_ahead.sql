-- A worker that runs quick steps one after another need not ask after each of them. With a step it gets those that follow from it alone, and ends
-- one and begins the next by a note of one row, committed like everything else; what notes say is brought into the step runs together
-- (`ledger_fold`): with the worker's next ordinary call, after at most a twentieth of a second of quick steps (`workers.engine.ahead`).
-- `runs_steprun.ahead` of the step that the ledger knows to be running is the leave to write notes. A note takes a share lock of that row and
-- looks at it anew once it has it: whoever takes the step away changes the row, and sees all notes before it, or none come after.

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

-- A step has succeeded and the next of its line begins. False: ask the ledger in the ordinary way (`ledger_finish`), whether it was asked before or
-- not: the worker has no leave any more, an earlier result of the next step is there, or the note is there already.
--   p_head, p_head_attempt   the step that the ledger knows this worker to run
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
  INSERT INTO runs_note (run_id, worker, step_run_id, attempt, outputs, used, next_id, next_attempt, next_key, at)
  SELECT h.run_id, p_worker, p_step, p_attempt, p_outputs, p_used, p_next, p_next_attempt, v_key, clock_timestamp()
    FROM runs_steprun h
   WHERE h.id = p_head AND h.ahead AND h.status = 'running' AND h.attempt = p_head_attempt AND h.worker = p_worker
     AND NOT (p_look AND EXISTS (SELECT 1 FROM ledger_known(h.project_id, v_key)))
     FOR SHARE OF h
  ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;

-- Brings into the step runs what notes of a run say (of one worker, or of all: ''), and counts nothing: how many steps have ended, and the
-- events, are for `ledger_settle`. Nothing else follows from them: what is next in a line has begun. The caller holds the run's row lock. `p_go_on`: whether notes may follow.
CREATE OR REPLACE FUNCTION ledger_fold(p_run uuid, p_worker text, p_go_on boolean, OUT done int, OUT events jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_notes runs_note[];
  v_ended uuid[];
BEGIN
  done := 0;
  events := '{}';
  WITH gone AS (DELETE FROM runs_note n WHERE n.run_id = p_run AND (p_worker = '' OR n.worker = p_worker) RETURNING n AS note)
  SELECT array_agg(note ORDER BY (note).at), array_agg((note).step_run_id ORDER BY (note).at) INTO v_notes, v_ended FROM gone;
  IF v_notes IS NULL THEN
    RETURN;
  END IF;
  done := cardinality(v_ended);
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
  -- Each step of a line is once what a note ends and, but for the first, once what the note before it began.
  WITH told AS (
    SELECT coalesce(e.step_run_id, b.next_id) AS id, coalesce(e.attempt, b.next_attempt) AS attempt, e.at AS ended_at, e.used, b.at AS begun_at, b.next_key, b.worker
      FROM unnest(v_notes) e FULL JOIN unnest(v_notes) b ON b.next_id = e.step_run_id),
  written AS (
    UPDATE runs_steprun s
       SET status = CASE WHEN t.ended_at IS NULL THEN 'running' ELSE 'succeeded' END, progress = CASE WHEN t.ended_at IS NULL THEN 0 ELSE 1 END, error = NULL,
           attempt = t.attempt, finished_at = t.ended_at, ahead = t.ended_at IS NULL AND p_go_on, blocked_by = 0,
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
  SELECT array_agg(e.event ORDER BY n.at, e.place) INTO events
    FROM unnest(v_notes) n
    JOIN runs_steprun s ON s.id = n.step_run_id JOIN runs_steprun f ON f.id = n.next_id
   CROSS JOIN LATERAL (VALUES (0, ledger_step_event(p_run, s.id, s.step, 'succeeded', n.attempt, 1, '')),
                              (1, ledger_step_event(p_run, f.id, f.step, 'running', n.next_attempt, 0, ''))) e(place, event);
  UPDATE core_apitoken SET revoked_at = clock_timestamp() WHERE step_run = ANY (v_ended) AND revoked_at IS NULL;
  IF EXISTS (SELECT 1 FROM unnest(v_notes) n WHERE n.outputs @> '[{"kind": "Metrics"}]') THEN
    PERFORM ledger_metrics(p_run);
  END IF;
END $$;

-- Somebody other than their worker is about to take steps of a run away: no note comes after this, and those before are brought in.
-- The caller holds the run's row lock.
CREATE OR REPLACE FUNCTION ledger_halt(p_run uuid, OUT done int, OUT events jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  UPDATE runs_steprun SET ahead = false WHERE run_id = p_run AND status = 'running' AND ahead;
  v_found := ledger_fold(p_run, '', false);
  done := v_found.done;
  events := v_found.events;
END $$;

-- What the notes of a worker say is brought in now: it is about to speak of the step it runs, or that takes longer than thought.
CREATE OR REPLACE FUNCTION ledger_catch_up(p_run uuid, p_worker text, p_wakes int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_found record;
BEGIN
  PERFORM 1 FROM runs_run WHERE id = p_run FOR NO KEY UPDATE;
  v_found := ledger_fold(p_run, p_worker, true);
  RETURN ledger_settle(p_run, '{}', '{}', '', p_worker, false, p_wakes, v_found.events, p_done => v_found.done);
END $$;
