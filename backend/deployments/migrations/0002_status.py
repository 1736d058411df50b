"""The trigger on a deployment's status (`sql/status.sql`)."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parents[1] / "sql" / "status.sql").read_text(encoding="utf-8")
BACK = "DROP TRIGGER deployments_status_changed ON deployments_deployment; DROP FUNCTION deployments_status_changed();"


class Migration(migrations.Migration):
    dependencies = [("deployments", "0001_initial")]
    operations = [migrations.RunSQL(SQL, BACK)]
