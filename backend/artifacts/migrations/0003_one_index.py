"""An artifact is found by project, kind and digest; the index of the project alone goes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('artifacts', '0002_initial'),
        ('core', '0003_event_order'),
    ]
    operations = [
        migrations.AlterField(
            model_name='artifact',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='core.project'),
        ),
    ]
