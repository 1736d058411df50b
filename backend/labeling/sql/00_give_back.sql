-- Leases that are over give their places back, a few at a time; whoever asks for an item does this first, in a transaction of its own, so that
-- nobody waits for one item while they hold another. Items are locked before leases, here as everywhere. A lease on a honeypot holds no place, and
-- stays until its person comes back.
CREATE OR REPLACE FUNCTION labeling_give_back(p_schema uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH items AS (
    SELECT id FROM labeling_queueitem
     WHERE id IN (SELECT item_id FROM labeling_lease WHERE schema_id = p_schema AND until < clock_timestamp() AND NOT honeypot ORDER BY until LIMIT 20)
       FOR UPDATE SKIP LOCKED
  ), late AS (
    DELETE FROM labeling_lease l USING items i WHERE l.item_id = i.id AND l.until < clock_timestamp() AND NOT l.honeypot RETURNING l.item_id
  )
  UPDATE labeling_queueitem q SET free = free + l.places FROM (SELECT item_id, count(*) AS places FROM late GROUP BY item_id) l WHERE q.id = l.item_id;
END $$;
