-- The next annotation for a reviewer: never one in which they took part, held for them a while. What they hold already comes first, then the oldest that nobody holds.
CREATE OR REPLACE FUNCTION labeling_next_review(p_schema uuid, p_user uuid, p_holding uuid[], p_hold interval) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid;
BEGIN
  SELECT id INTO v_id FROM labeling_annotation
   WHERE schema_id = p_schema AND held_by_id = p_user AND held_until >= clock_timestamp() AND to_review AND status = 'submitted'
     AND NOT id = ANY (p_holding) ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF v_id IS NULL THEN
    SELECT id INTO v_id FROM labeling_annotation
     WHERE schema_id = p_schema AND to_review AND status = 'submitted' AND author_id IS DISTINCT FROM p_user AND NOT id = ANY (p_holding)
       AND NOT EXISTS (SELECT 1 FROM labeling_annotation_coauthors c WHERE c.annotation_id = labeling_annotation.id AND c.user_id = p_user)
       AND (held_until IS NULL OR held_until < clock_timestamp())
     ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED;
  END IF;
  UPDATE labeling_annotation SET held_by_id = p_user, held_until = clock_timestamp() + p_hold WHERE id = v_id;
  RETURN v_id;
END $$;
