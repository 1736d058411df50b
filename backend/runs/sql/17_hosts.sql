-- Hosts: which machines work for the studio, what each has, and whether it may be given a step. A worker's name ends with the id of its
-- host (`hostname:pid:start:place:host`); a worker that names none (a test, a script) takes whatever asks for nothing.

CREATE OR REPLACE FUNCTION ledger_host(p_worker text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT nullif(split_part(p_worker, ':', 5), '')::uuid
$$;

-- Hosts on which such a step may run at all, whatever runs there now. `has`: it has devices; `live`: it is heard of (seven beats may be
-- missed) and takes steps.
CREATE OR REPLACE FUNCTION ledger_suiting(p_queue text, p_needs jsonb) RETURNS TABLE (id uuid, has boolean, live boolean) LANGUAGE sql STABLE AS $$
  SELECT h.id, jsonb_array_length(h.devices) > 0, h.wanted = 'running' AND h.beat_at > clock_timestamp() - interval '15 s' FROM runs_host h
   WHERE h.queues ? p_queue AND h.labels @> coalesce(p_needs -> 'labels', '{}')
     AND h.memory_bytes >= coalesce((p_needs ->> 'memory_gb')::float8, 0) * 1e9
     AND jsonb_array_length(h.devices) >= coalesce((p_needs ->> 'gpu')::int, 0)
$$;

-- How many processes hear of a step on this queue that asks for nothing more; null: none is known of.
CREATE OR REPLACE FUNCTION ledger_workers(p_queue text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT nullif(sum(jsonb_array_length(g.value -> 'processes')), 0)::int FROM runs_host h CROSS JOIN LATERAL jsonb_each(h.groups) g
   WHERE h.wanted = 'running' AND h.beat_at > clock_timestamp() - interval '15 s' AND g.value -> 'queues' ? p_queue
$$;

-- Where to announce a step that needs something (or likes a GPU): the own queues of the hosts that it suits, so that its wake-up reaches
-- nobody who may not take it. What only likes a GPU goes to those that have one, while there are such; with no host known, to everybody.
CREATE OR REPLACE FUNCTION ledger_routes(p_queue text, p_needs jsonb) RETURNS text[] LANGUAGE sql STABLE AS $$
  WITH suited AS (SELECT id, has FROM ledger_suiting(p_queue, p_needs) WHERE live),
       wanted AS (SELECT id FROM suited WHERE has OR p_queue <> 'gpu' OR NOT EXISTS (SELECT 1 FROM suited WHERE has) LIMIT 64)
  SELECT CASE WHEN p_needs IS NULL AND NOT EXISTS (SELECT 1 FROM wanted) THEN ARRAY[p_queue]
              ELSE coalesce((SELECT array_agg(p_queue || '.' || id) FROM wanted), '{}') END
$$;

-- The queues on which a step is announced: its own, or those of the hosts that suit it.
CREATE OR REPLACE FUNCTION ledger_told(p_queue text, p_needs jsonb) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_needs IS NULL AND p_queue <> 'gpu' THEN ARRAY[p_queue] ELSE ledger_routes(p_queue, p_needs) END
$$;

-- Whether this worker's host may be given this step now: it suits, and what it needs is free. Claims of one host take turns here until they
-- commit, so that two cannot be promised the same memory or device. The caller holds the run's row lock (without it, `p_lock` must be false: the
-- answer is a guess then).
CREATE OR REPLACE FUNCTION ledger_fits(p_step uuid, p_worker text, p_lock boolean DEFAULT true) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_host uuid := ledger_host(p_worker);
  v_step record;
  v_suits record;
  v_gpu int;
BEGIN
  SELECT queue, needs INTO v_step FROM runs_steprun WHERE id = p_step;
  IF v_host IS NULL THEN
    RETURN v_step.needs IS NULL;
  END IF;
  SELECT * INTO v_suits FROM ledger_suiting(v_step.queue, v_step.needs) s WHERE s.id = v_host;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  v_gpu := CASE WHEN v_step.queue = 'gpu' THEN coalesce((v_step.needs ->> 'gpu')::int, 1) ELSE 0 END;
  IF v_gpu > 0 AND NOT v_suits.has THEN
    -- It only likes a GPU, and there is none here: fine, unless another host that it suits has one.
    RETURN NOT EXISTS (SELECT 1 FROM ledger_suiting(v_step.queue, v_step.needs) s WHERE s.has AND s.live);
  END IF;
  IF p_lock THEN
    PERFORM pg_advisory_xact_lock(hashtext('headrace host'), hashtext(v_host::text));
  END IF;
  IF v_gpu > 0 AND (SELECT count(DISTINCT device) FROM ledger_free(v_host)) < v_gpu THEN
    RETURN false;
  END IF;
  RETURN v_step.needs -> 'memory_gb' IS NULL OR (v_step.needs ->> 'memory_gb')::float8 * 1e9 + coalesce((
    SELECT sum((s.needs ->> 'memory_gb')::float8) * 1e9 FROM runs_steprun s
     WHERE s.status = 'running' AND s.needs IS NOT NULL AND s.worker LIKE '%:' || v_host), 0) <= (SELECT memory_bytes FROM runs_host WHERE id = v_host);
END $$;

-- Shares of devices that no step holds.
CREATE OR REPLACE FUNCTION ledger_free(p_host uuid) RETURNS TABLE (device int, slot int) LANGUAGE sql STABLE AS $$
  SELECT d, s FROM runs_host h CROSS JOIN generate_series(0, jsonb_array_length(h.devices) - 1) d CROSS JOIN generate_series(0, h.share - 1) s
   WHERE h.id = p_host AND NOT EXISTS (SELECT 1 FROM runs_devicelease l WHERE l.host_id = h.id AND l.device = d AND l.slot = s)
$$;

-- Gives a step of the queue `gpu` its devices, the emptiest first. Called with the claim, after ledger_fits has said yes in the same
-- transaction. They are given back by ledger_fence, when the attempt ends however it ends.
CREATE OR REPLACE FUNCTION ledger_lease(p_step uuid, p_worker text) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO runs_devicelease (host_id, device, slot, step_run_id, taken_at)
  SELECT c.host, c.device, c.slot, p_step, clock_timestamp() FROM (
    SELECT ledger_host(p_worker) AS host, f.device, min(f.slot) AS slot FROM ledger_free(ledger_host(p_worker)) f
     GROUP BY f.device ORDER BY count(*) DESC, f.device
     LIMIT (SELECT coalesce((needs ->> 'gpu')::int, 1) FROM runs_steprun WHERE id = p_step)) c
$$;

-- Ready steps that go to some hosts only, and that nobody has claimed: to be announced (again), as [{id, queue}].
CREATE OR REPLACE FUNCTION ledger_unplaced(p_after float8, p_limit int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  WITH told AS (
    UPDATE runs_steprun SET announced_at = clock_timestamp()
     WHERE id IN (SELECT s.id FROM runs_steprun s JOIN runs_run r ON r.id = s.run_id
                   WHERE s.status = 'queued' AND s.blocked_by = 0 AND s.ready_at <= clock_timestamp() AND (s.needs IS NOT NULL OR s.queue = 'gpu')
                     AND (s.announced_at IS NULL OR s.announced_at < clock_timestamp() - make_interval(secs => p_after))
                     AND s.run_id <> ALL ((SELECT ledger_held())::uuid[])
                   ORDER BY r.priority DESC, s.ready_at LIMIT p_limit FOR UPDATE OF s SKIP LOCKED)
    RETURNING id, queue, needs, ready_at)
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'queue', r.queue) ORDER BY t.ready_at), '[]')
    FROM told t CROSS JOIN LATERAL unnest(ledger_routes(t.queue, t.needs)) r(queue)
$$;

-- A sign of life of a host, from one of its groups of worker processes (`steps`, `gpu-steps`). Says what is wanted of the host.
--   p_host   {id, name, studio, place, labels, memory_bytes, memory_free, devices, share, versions}; a host that is not the studio's own
--            must have joined
--   p_group  {name, queues, processes: [{worker, pid, memory}]}, or null: this group has ended
CREATE OR REPLACE FUNCTION ledger_host_beat(p_host jsonb, p_name text, p_group jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid := (p_host ->> 'id')::uuid;
  v_groups jsonb;
  v_wanted text;
BEGIN
  IF (p_host ->> 'studio')::boolean THEN
    INSERT INTO runs_host (id, name, studio, place, labels, queues, memory_bytes, memory_free, devices, share, versions, groups, wanted, wanted_at,
                           token_hash, joined_at)
    VALUES (v_id, p_host ->> 'name', true, '', '{}', '[]', 0, 0, '[]', 1, '{}', '{}', 'running', clock_timestamp(), '', clock_timestamp())
    ON CONFLICT (id) DO NOTHING;
  END IF;
  SELECT groups INTO v_groups FROM runs_host WHERE id = v_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'removed';
  END IF;
  SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO v_groups FROM jsonb_each(v_groups)
   WHERE key <> p_name AND (value ->> 'at')::timestamptz > clock_timestamp() - interval '15 s';
  IF p_group IS NOT NULL THEN
    v_groups := v_groups || jsonb_build_object(p_name, p_group || jsonb_build_object('at', clock_timestamp()));
  END IF;
  UPDATE runs_host
     SET name = p_host ->> 'name', place = p_host ->> 'place', labels = p_host -> 'labels', memory_bytes = (p_host ->> 'memory_bytes')::bigint,
         memory_free = (p_host ->> 'memory_free')::bigint, devices = p_host -> 'devices', share = (p_host ->> 'share')::int,
         versions = p_host -> 'versions', groups = v_groups, beat_at = clock_timestamp(),
         queues = (SELECT coalesce(jsonb_agg(DISTINCT q), '[]') FROM jsonb_each(v_groups) g CROSS JOIN LATERAL jsonb_array_elements(g.value -> 'queues') q)
   WHERE id = v_id
  RETURNING wanted INTO v_wanted;
  RETURN v_wanted;
END $$;
