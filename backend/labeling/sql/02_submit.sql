-- All who changed the shared draft of an item are named beside whoever submitted it.
SET LOCAL check_function_bodies = off; -- as in 00_may_have.sql
CREATE OR REPLACE FUNCTION labeling_name_authors(p_item bigint, p_annotation uuid, p_user uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO labeling_annotation_coauthors (annotation_id, user_id)
  SELECT a.id, x.user_id FROM labeling_annotation a
    CROSS JOIN LATERAL (SELECT user_id FROM labeling_shareddraft_people WHERE shareddraft_id = p_item UNION SELECT p_user) x
   WHERE a.id = p_annotation AND x.user_id IS DISTINCT FROM a.author_id
  ON CONFLICT DO NOTHING
$$;

-- Keeps a person's annotation of an item; the lease becomes a done place. Without a lease (it ran out) a free place is taken, and where there is
-- none `full` is answered: never more than `wanted` people. A person's second submission changes their first: `changed` answers with its number,
-- `stale` when `p_version` (the one they saw) is no longer the newest. The same id again is answered the same. What a reviewer rejected is submitted anew.
-- Of a shared schema an item has one annotation, of all who took part in its draft: whoever of them comes first submits it, with whosever lease there
-- is, and the others may change it.
-- `suggested` says whether they were shown a model's suggestion, `audited` whether the item tells how right one would have been.
CREATE OR REPLACE FUNCTION labeling_submit(
  p_item bigint, p_user uuid, p_id uuid, p_schema_version uuid, p_result jsonb, p_seconds float8, p_version int, p_review boolean
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_item labeling_queueitem;
  v_old labeling_annotation;
  v_leased boolean;
  v_honeypot boolean;
  v_shared boolean;
  v_leases int;
  v_part text;
  v_told jsonb;
BEGIN
  SELECT * INTO v_item FROM labeling_queueitem WHERE id = p_item FOR UPDATE;
  -- Whoever words the schema anew holds its row: what was checked against the old wording does not slip in behind them.
  SELECT together = 'shared' INTO v_shared FROM labeling_labelschema WHERE id = v_item.schema_id FOR KEY SHARE;
  IF p_schema_version <> (SELECT id FROM labeling_labelschemaversion WHERE schema_id = v_item.schema_id ORDER BY number DESC LIMIT 1) THEN
    RETURN jsonb_build_object('outcome', 'reworded');
  END IF;
  SELECT part INTO v_part FROM labeling_heldback WHERE item_id = p_item;
  v_told := jsonb_build_object(
    'suggested', v_part IS NULL AND EXISTS (SELECT 1 FROM labeling_suggestion WHERE item_id = p_item), 'audited', coalesce(v_part = 'audit', false));
  SELECT a.* INTO v_old FROM labeling_annotation a WHERE a.item_id = p_item AND (a.author_id = p_user
      OR EXISTS (SELECT 1 FROM labeling_annotation_coauthors c WHERE c.annotation_id = a.id AND c.user_id = p_user)
      OR v_shared AND a.how = '' AND EXISTS (SELECT 1 FROM labeling_shareddraft_people p WHERE p.shareddraft_id = p_item AND p.user_id = p_user))
   ORDER BY a.author_id = p_user DESC NULLS LAST LIMIT 1;
  IF v_old.id IS NOT NULL THEN
    IF v_old.result = p_result AND (v_old.id = p_id OR v_shared AND p_version IS NULL) THEN
      RETURN jsonb_build_object('outcome', 'repeated', 'id', v_old.id, 'version', v_old.version);
    ELSIF p_version IS DISTINCT FROM v_old.version THEN
      RETURN jsonb_build_object('outcome', 'stale', 'id', v_old.id, 'version', v_old.version);
    ELSIF v_old.status = 'accepted' THEN
      RETURN jsonb_build_object('outcome', 'accepted', 'id', v_old.id, 'version', v_old.version);
    END IF;
    UPDATE labeling_annotation
       SET result = p_result, schema_version_id = p_schema_version, seconds = seconds + p_seconds, version = version + 1, status = 'submitted',
           to_review = to_review OR status = 'rejected', updated_at = clock_timestamp()
     WHERE id = v_old.id;
    PERFORM labeling_name_authors(p_item, v_old.id, p_user) WHERE v_shared;
    DELETE FROM labeling_draft WHERE item_id = p_item AND user_id = p_user;
    RETURN v_told || jsonb_build_object('outcome', 'changed', 'id', v_old.id, 'version', v_old.version + 1);
  END IF;
  IF v_item.removed THEN
    RETURN jsonb_build_object('outcome', 'removed');
  END IF;
  IF v_shared AND EXISTS (SELECT 1 FROM labeling_annotation WHERE item_id = p_item AND how = '' AND NOT honeypot) THEN
    RETURN jsonb_build_object('outcome', 'full');
  END IF;
  DELETE FROM labeling_lease WHERE item_id = p_item AND user_id = p_user RETURNING honeypot INTO v_honeypot;
  v_leased := FOUND;
  v_honeypot := coalesce(v_honeypot, false);
  IF v_shared AND NOT v_leased AND labeling_saw(p_item, p_user) THEN
    RETURN jsonb_build_object('outcome', 'seen');
  ELSIF v_shared AND NOT v_honeypot THEN
    DELETE FROM labeling_lease WHERE item_id = p_item AND NOT honeypot;
    GET DIAGNOSTICS v_leases = ROW_COUNT;
    -- They give their places back; one of these, or the submitter's own, is what is done now.
    UPDATE labeling_queueitem SET free = free + v_leases - CASE WHEN v_leased OR v_leases = 0 THEN 0 ELSE 1 END WHERE id = p_item;
    v_leased := v_leased OR v_leases > 0;
  END IF;
  IF NOT v_leased AND v_item.free <= 0 THEN
    RETURN jsonb_build_object('outcome', 'full');
  ELSIF NOT v_leased AND labeling_saw(p_item, p_user) THEN
    RETURN jsonb_build_object('outcome', 'seen');
  END IF;
  IF NOT v_honeypot THEN
    UPDATE labeling_queueitem SET done = done + 1, free = free - CASE WHEN v_leased THEN 0 ELSE 1 END WHERE id = p_item;
  END IF;
  INSERT INTO labeling_annotation
    (id, item_id, schema_id, schema_version_id, author_id, result, seconds, status, to_review, version, honeypot, created_at, updated_at)
  VALUES (p_id, p_item, v_item.schema_id, p_schema_version, p_user, p_result, p_seconds, 'submitted', p_review AND NOT v_honeypot, 1, v_honeypot,
          clock_timestamp(), clock_timestamp());
  PERFORM labeling_name_authors(p_item, p_id, p_user) WHERE v_shared;
  DELETE FROM labeling_skip WHERE item_id = p_item AND user_id = p_user;
  DELETE FROM labeling_draft WHERE item_id = p_item AND user_id = p_user;
  RETURN v_told || jsonb_build_object(
    'outcome', 'submitted', 'id', p_id, 'version', 1, 'honeypot', v_honeypot, 'done', v_item.done + 1, 'wanted', v_item.wanted);
END $$;
