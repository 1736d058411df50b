-- A new database installs this before the tables of coauthors are there.
SET LOCAL check_function_bodies = off;

-- Whether somebody has another's annotation of an item under review, or has reviewed one: they know what was said, and do not label it too.
CREATE OR REPLACE FUNCTION labeling_saw(p_item bigint, p_user uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM labeling_annotation a WHERE a.item_id = p_item AND a.held_by_id = p_user)
      OR EXISTS (SELECT 1 FROM labeling_annotation a JOIN labeling_review r ON r.annotation_id = a.id WHERE a.item_id = p_item AND r.reviewer_id = p_user)
$$;

-- Whether an item may be given to somebody: it is theirs to do, and they have neither labelled, skipped, reviewed nor in hand.
CREATE OR REPLACE FUNCTION labeling_may_have(p_item bigint, p_assignment uuid, p_user uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT (p_assignment IS NULL OR EXISTS (SELECT 1 FROM labeling_assignment_people p WHERE p.assignment_id = p_assignment AND p.user_id = p_user))
     AND NOT EXISTS (SELECT 1 FROM labeling_annotation a WHERE a.item_id = p_item AND a.author_id = p_user)
     AND NOT EXISTS (SELECT 1 FROM labeling_annotation a JOIN labeling_annotation_coauthors c ON c.annotation_id = a.id
                      WHERE a.item_id = p_item AND c.user_id = p_user)
     AND NOT EXISTS (SELECT 1 FROM labeling_skip s WHERE s.item_id = p_item AND s.user_id = p_user)
     AND NOT EXISTS (SELECT 1 FROM labeling_lease l WHERE l.item_id = p_item AND l.user_id = p_user)
     AND NOT labeling_saw(p_item, p_user)
$$;
