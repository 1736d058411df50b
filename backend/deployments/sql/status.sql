-- What follows from the predictor's word on a deployment, in the same transaction as the word: no web process need be awake.
--
-- live:   it has the traffic that the split in force gives it, so the deployments that the split no longer names stop.
-- failed: if the split in force names it, the traffic goes back to the deployment that still answers (a new split, so the
--         history tells); where none does, the split stays and the endpoint shows the failure.
CREATE FUNCTION deployments_status_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_named boolean;
  v_back uuid;
  v_split uuid := gen_random_uuid();
BEGIN
  SELECT s.weights @> jsonb_build_array(jsonb_build_object('deployment', NEW.id::text)) INTO v_named
    FROM deployments_endpoint e JOIN deployments_trafficsplit s ON s.id = e.split_id WHERE e.id = NEW.endpoint_id;
  IF NOT coalesce(v_named, false) THEN
    RETURN NULL;
  END IF;
  IF NEW.status = 'live' THEN
    UPDATE deployments_deployment d SET status = 'stopped', stopped_at = clock_timestamp()
      FROM deployments_endpoint e JOIN deployments_trafficsplit s ON s.id = e.split_id
     WHERE e.id = NEW.endpoint_id AND d.endpoint_id = e.id AND d.status IN ('live', 'starting')
       AND NOT s.weights @> jsonb_build_array(jsonb_build_object('deployment', d.id::text));
    RETURN NULL;
  END IF;
  SELECT d.id INTO v_back FROM deployments_deployment d
   WHERE d.endpoint_id = NEW.endpoint_id AND d.status = 'live' ORDER BY d.live_at DESC NULLS LAST LIMIT 1;
  IF v_back IS NOT NULL THEN
    INSERT INTO deployments_trafficsplit (id, endpoint_id, weights, reason, created_at)
    VALUES (v_split, NEW.endpoint_id, jsonb_build_array(jsonb_build_object('deployment', v_back::text, 'weight', 100)),
            'returned: the new one failed', clock_timestamp());
    UPDATE deployments_endpoint SET split_id = v_split WHERE id = NEW.endpoint_id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER deployments_status_changed AFTER UPDATE OF status ON deployments_deployment
FOR EACH ROW WHEN (OLD.status = 'starting' AND NEW.status IN ('live', 'failed')) EXECUTE FUNCTION deployments_status_changed();
