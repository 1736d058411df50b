"""When which deployment answered, kept by a trigger (`sql/live_history.sql`)."""

from pathlib import Path

import backend.core.ids
import django.db.models.deletion
from django.db import migrations, models

SQL = (Path(__file__).parents[1] / "sql" / "live_history.sql").read_text(encoding="utf-8")
BACK = """
DROP TRIGGER deployments_live_over ON deployments_liveperiod;
DROP FUNCTION deployments_live_over();
DROP TRIGGER deployments_live_history_new ON deployments_deployment;
DROP TRIGGER deployments_live_history ON deployments_deployment;
DROP FUNCTION deployments_live_history();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0002_status'),
    ]

    operations = [
        migrations.CreateModel(
            name='LivePeriod',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='live_periods', to='deployments.deployment')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='live_periods', to='deployments.endpoint')),
            ],
            options={
                'indexes': [models.Index(fields=['endpoint', '-since'], name='live_history')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('until', None)), fields=('deployment',), name='live_once'), models.CheckConstraint(condition=models.Q(('until', None), ('until__gte', models.F('since')), _connector='OR'), name='live_forwards')],
            },
        ),
        migrations.RunSQL(SQL, BACK),
    ]
