"""An edge of the lineage is written without being looked up in the projects."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('artifacts', '0003_one_index'),
        ('core', '0003_event_order'),
    ]

    operations = [
        migrations.AlterField(
            model_name='lineageedge',
            name='project',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.project'),
        ),
    ]
