-- A person lets an item go: the place is free again. With `p_skip` they are not given it again, for `p_reason`. False when they held nothing.
CREATE OR REPLACE FUNCTION labeling_leave(p_item bigint, p_user uuid, p_skip boolean, p_reason text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_held boolean;
  v_honeypot boolean;
BEGIN
  PERFORM 1 FROM labeling_queueitem WHERE id = p_item FOR UPDATE;
  DELETE FROM labeling_lease WHERE item_id = p_item AND user_id = p_user RETURNING honeypot INTO v_honeypot;
  v_held := FOUND;
  IF v_held AND NOT v_honeypot THEN
    UPDATE labeling_queueitem SET free = free + 1 WHERE id = p_item;
  END IF;
  IF p_skip THEN
    INSERT INTO labeling_skip (item_id, user_id, reason, created_at) VALUES (p_item, p_user, p_reason, clock_timestamp())
    ON CONFLICT (item_id, user_id) DO UPDATE SET reason = excluded.reason;
  END IF;
  RETURN v_held;
END $$;
