-- The next item for a person, leased to them. What they hold already (beyond `p_holding`, which their page shows or has ready) comes first: a
-- closed lid loses nothing. Else the first of the queue with a free place that they have neither labelled nor skipped, in the order of `rank`
-- from where they were, then from the beginning. Concurrent askers pass over each other's rows (SKIP LOCKED) and never get the same place.
CREATE OR REPLACE FUNCTION labeling_next(p_schema uuid, p_user uuid, p_holding bigint[], p_lease interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_item bigint;
  v_rank float8;
  v_from float8;
BEGIN
  -- One person who asks from two tabs at once asks one after the other: each must see what the other was given.
  PERFORM pg_advisory_xact_lock(hashtextextended('labeling_next ' || p_user::text, 0));

  -- What a reviewer sent back comes before anything new; its place was kept.
  SELECT a.item_id INTO v_item FROM labeling_annotation a JOIN labeling_queueitem q ON q.id = a.item_id
   WHERE a.author_id = p_user AND a.schema_id = p_schema AND a.status = 'rejected' AND NOT a.item_id = ANY (p_holding) AND NOT q.removed
   ORDER BY a.updated_at LIMIT 1;
  IF v_item IS NOT NULL THEN
    RETURN v_item;
  END IF;

  UPDATE labeling_lease SET until = clock_timestamp() + p_lease
   WHERE id = (SELECT l.id FROM labeling_lease l JOIN labeling_queueitem q ON q.id = l.item_id
                WHERE l.user_id = p_user AND l.schema_id = p_schema AND NOT l.item_id = ANY (p_holding) AND NOT q.removed
                ORDER BY l.id LIMIT 1)
  RETURNING item_id INTO v_item;
  IF v_item IS NOT NULL THEN
    RETURN v_item;
  END IF;

  -- Now and then a honeypot, at random: beyond its places, so that nothing is taken from anybody and no item is locked.
  IF random() < (SELECT honeypot_share FROM labeling_labelschema WHERE id = p_schema) THEN
    SELECT q.id INTO v_item FROM labeling_honeypot h JOIN labeling_queueitem q ON q.id = h.item_id
     WHERE h.schema_id = p_schema AND NOT q.removed AND NOT q.id = ANY (p_holding) AND labeling_may_have(q.id, q.assignment_id, p_user)
     ORDER BY random() LIMIT 1;
    IF v_item IS NOT NULL THEN
      INSERT INTO labeling_lease (item_id, schema_id, user_id, until, honeypot) VALUES (v_item, p_schema, p_user, clock_timestamp() + p_lease, true);
      RETURN v_item;
    END IF;
  END IF;

  SELECT rank INTO v_from FROM labeling_cursor WHERE schema_id = p_schema AND user_id = p_user;
  FOR turn IN CASE WHEN v_from IS NULL THEN 2 ELSE 1 END .. 2 LOOP
    SELECT q.id, q.rank INTO v_item, v_rank FROM labeling_queueitem q
     WHERE q.schema_id = p_schema AND q.free > 0 AND NOT q.removed AND NOT q.id = ANY (p_holding)
       AND q.rank >= CASE WHEN turn = 1 THEN coalesce(v_from, '-infinity') ELSE '-infinity' END
       AND labeling_may_have(q.id, q.assignment_id, p_user)
     ORDER BY q.rank, q.id LIMIT 1 FOR UPDATE OF q SKIP LOCKED;
    EXIT WHEN v_item IS NOT NULL;
  END LOOP;
  IF v_item IS NULL THEN
    -- Nothing, or only what others have in hand this very moment: that is waited for before somebody is told that there is nothing. No item is
    -- held meanwhile.
    SELECT q.id, q.rank INTO v_item, v_rank FROM labeling_queueitem q
     WHERE q.schema_id = p_schema AND q.free > 0 AND NOT q.removed AND NOT q.id = ANY (p_holding)
       AND labeling_may_have(q.id, q.assignment_id, p_user)
     ORDER BY q.rank, q.id LIMIT 1 FOR UPDATE OF q;
  END IF;
  IF v_item IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE labeling_queueitem SET free = free - 1 WHERE id = v_item;
  INSERT INTO labeling_lease (item_id, schema_id, user_id, until) VALUES (v_item, p_schema, p_user, clock_timestamp() + p_lease);
  INSERT INTO labeling_cursor (schema_id, user_id, rank) VALUES (p_schema, p_user, v_rank)
  ON CONFLICT (schema_id, user_id) DO UPDATE SET rank = excluded.rank WHERE labeling_cursor.rank <> excluded.rank;
  RETURN v_item;
END $$;
