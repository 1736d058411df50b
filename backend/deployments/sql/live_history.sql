-- From when to when each deployment answered, in the same transaction as its status: nobody who changes a status can forget it.
--
-- `live` begins a period, leaving `live` ends it; both by the transaction's time, so that where one deployment replaces another there
-- is neither a gap nor a moment with two. A period that is over cannot be changed: it is what an auditor is told.
CREATE FUNCTION deployments_live_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.status = 'live' THEN
    UPDATE deployments_liveperiod SET until = greatest(since, now())
     WHERE deployment_id = NEW.id AND until IS NULL;
  END IF;
  IF NEW.status = 'live' THEN
    INSERT INTO deployments_liveperiod (id, endpoint_id, deployment_id, since)
    VALUES (gen_random_uuid(), NEW.endpoint_id, NEW.id, now());
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER deployments_live_history AFTER UPDATE OF status ON deployments_deployment
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION deployments_live_history();
CREATE TRIGGER deployments_live_history_new AFTER INSERT ON deployments_deployment
FOR EACH ROW WHEN (NEW.status = 'live') EXECUTE FUNCTION deployments_live_history();

CREATE FUNCTION deployments_live_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a period that is over is not changed' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER deployments_live_over BEFORE UPDATE ON deployments_liveperiod
FOR EACH ROW WHEN (OLD.until IS NOT NULL) EXECUTE FUNCTION deployments_live_over();

-- What is known of the time before this table: of each deployment the last time that it was live.
INSERT INTO deployments_liveperiod (id, endpoint_id, deployment_id, since, until)
SELECT gen_random_uuid(), endpoint_id, id, live_at, CASE WHEN status = 'live' THEN NULL ELSE greatest(live_at, coalesce(stopped_at, live_at)) END
  FROM deployments_deployment WHERE live_at IS NOT NULL;
