-- A UUID of version 7 (sorts by time), as backend.core.ids.new_id makes; PostgreSQL has its own only from 18 on.
CREATE OR REPLACE FUNCTION ledger_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$;
