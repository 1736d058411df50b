"""The audit log can be added to and read, nothing else: the database itself refuses the rest."""

from django.db import migrations

CREATE = """
CREATE FUNCTION core_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER core_audit_append_only BEFORE UPDATE OR DELETE ON core_auditentry FOR EACH ROW EXECUTE FUNCTION core_audit_refuse();
CREATE TRIGGER core_audit_no_truncate BEFORE TRUNCATE ON core_auditentry FOR EACH STATEMENT EXECUTE FUNCTION core_audit_refuse();
"""
DROP = """
DROP TRIGGER core_audit_no_truncate ON core_auditentry;
DROP TRIGGER core_audit_append_only ON core_auditentry;
DROP FUNCTION core_audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
