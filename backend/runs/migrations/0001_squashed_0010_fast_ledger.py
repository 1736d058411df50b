"""The migrations 0001 to 0010 in one, as a new studio takes them: each model is made once, in its final shape, which
saves seconds at the first start.

A studio that is older goes through those that it lacks. The functions in the database come last.
"""

import importlib

import backend.core.ids
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def install(apps, schema_editor):
    for name in ("0005_triggers", "0002_functions"):
        importlib.import_module(f"backend.runs.migrations.{name}").install(apps, schema_editor)


class Migration(migrations.Migration):

    replaces = [('runs', '0001_initial'), ('runs', '0002_functions'), ('runs', '0003_demo'), ('runs', '0004_patterns'), ('runs', '0005_triggers'), ('runs', '0006_code'), ('runs', '0007_secrets'), ('runs', '0008_hosts'), ('runs', '0009_waits'), ('runs', '0010_fast_ledger')]

    initial = True

    dependencies = [
        ('artifacts', '0002_initial'),
        ('core', '0003_event_order'),
        ('datasets', '0001_initial'),
        ('pipelines', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('name', models.CharField(blank=True, max_length=120)),
                ('graph', models.JSONField()),
                ('parameters', models.JSONField(default=dict)),
                ('status', models.CharField(default='queued', max_length=10)),
                ('steps_total', models.IntegerField(default=0)),
                ('steps_done', models.IntegerField(default=0)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('use_cache', models.BooleanField(default=True)),
                ('error', models.JSONField(null=True)),
                ('metrics', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('pipeline_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='pipelines.pipelineversion')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='core.project')),
                ('rerun_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reruns', to='runs.run')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('dynamic', models.BooleanField(db_default=False, default=False)),
                ('undoing', models.BooleanField(db_default=False, default=False)),
                ('values', models.JSONField(db_default={}, default=dict)),
                ('limited', models.BooleanField(db_default=False, default=False)),
                ('priority', models.SmallIntegerField(db_default=1, default=1)),
                ('sample', models.JSONField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['project', '-created_at'], name='run_list'), models.Index(condition=models.Q(('status__in', ['queued', 'running', 'waiting'])), fields=['priority', 'project'], name='run_alive')],
                'constraints': [models.UniqueConstraint(fields=('project', 'number'), name='run_number_unique')],
            },
        ),
        migrations.CreateModel(
            name='Trigger',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.SlugField(max_length=60)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(max_length=40)),
                ('version', models.PositiveIntegerField(null=True)),
                ('parameters', models.JSONField(default=dict)),
                ('mapping', models.JSONField(default=dict)),
                ('config', models.JSONField(default=dict)),
                ('secrets', models.JSONField(default=dict)),
                ('enabled', models.BooleanField(default=True)),
                ('most_per_hour', models.PositiveIntegerField(default=60)),
                ('most_at_once', models.PositiveIntegerField(default=1)),
                ('coalesce_s', models.PositiveIntegerField(default=0)),
                ('hook', models.CharField(max_length=60, null=True, unique=True)),
                ('next_at', models.DateTimeField(null=True)),
                ('connection', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pipelines.pipeline')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='triggers', to='core.project')),
                ('priority', models.PositiveSmallIntegerField(db_default=1, default=1)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('deleted_at', None), ('enabled', True)), fields=['project', 'kind'], name='trigger_listening'), models.Index(condition=models.Q(('deleted_at', None), ('enabled', True)), fields=['next_at'], name='trigger_next')],
                'constraints': [models.UniqueConstraint(fields=('project', 'slug'), name='trigger_slug_unique')],
            },
        ),
        migrations.CreateModel(
            name='ProjectSecret',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('ciphertext', models.TextField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='core.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'name'), name='project_secret_unique')],
            },
        ),
        migrations.CreateModel(
            name='JoinToken',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('prefix', models.CharField(max_length=12)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ProjectLimits',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='core.project')),
                ('steps_at_once', models.PositiveIntegerField(null=True)),
                ('runs_at_once', models.PositiveIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RunEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('payload', models.JSONField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.run')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'id'], name='run_event_run')],
            },
        ),
        migrations.CreateModel(
            name='StepRun',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('step', models.CharField(max_length=300)),
                ('position', models.IntegerField(default=0)),
                ('component', models.CharField(max_length=80)),
                ('component_version', models.CharField(max_length=64)),
                ('queue', models.CharField(max_length=10)),
                ('parameters', models.JSONField(default=dict)),
                ('status', models.CharField(default='queued', max_length=10)),
                ('skip_reason', models.CharField(blank=True, max_length=120)),
                ('blocked_by', models.PositiveIntegerField(default=0)),
                ('attempt', models.IntegerField(default=0)),
                ('failures', models.IntegerField(default=0)),
                ('losses', models.IntegerField(default=0)),
                ('max_attempts', models.IntegerField(default=1)),
                ('timeout_s', models.IntegerField(null=True)),
                ('cacheable', models.BooleanField(default=True)),
                ('cache_key', models.CharField(blank=True, max_length=64)),
                ('content_key', models.CharField(blank=True, max_length=64)),
                ('progress', models.FloatField(default=0)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('batch', models.IntegerField(default=0)),
                ('error', models.JSONField(null=True)),
                ('worker', models.CharField(blank=True, max_length=200)),
                ('announced_at', models.DateTimeField(null=True)),
                ('ready_at', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('project', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.project')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='step_runs', to='runs.run')),
                ('children_failed', models.IntegerField(db_default=0, default=0)),
                ('children_open', models.PositiveIntegerField(db_default=0, default=0)),
                ('children_total', models.IntegerField(db_default=0, default=0)),
                ('flow', models.JSONField(null=True)),
                ('fresh', models.BooleanField(db_default=False, default=False)),
                ('given', models.JSONField(null=True)),
                ('held', models.BooleanField(db_default=False, default=False)),
                ('parent', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='runs.steprun')),
                ('shard', models.IntegerField(null=True)),
                ('state', models.JSONField(null=True)),
                ('undoes', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun')),
                ('wait_until', models.DateTimeField(null=True)),
                ('needs', models.JSONField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('blocked_by', 0), ('status', 'queued')), fields=['run', 'queue', 'ready_at'], name='step_run_ready'), models.Index(condition=models.Q(('status', 'running')), fields=['run'], name='step_run_running'), models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent', 'shard'], name='step_run_children'), models.Index(condition=models.Q(('status', 'waiting')), fields=['project', 'wait_until'], name='step_run_waiting'), models.Index(condition=models.Q(('cache_key__gt', ''), ('cacheable', True), ('status', 'succeeded')), fields=['cache_key', 'project'], name='step_run_cache'), models.Index(condition=models.Q(('cacheable', True), ('content_key__gt', ''), ('status', 'succeeded')), fields=['content_key', 'project'], name='step_run_content')],
                'constraints': [models.UniqueConstraint(fields=('run', 'step'), name='step_run_unique')],
            },
        ),
        migrations.CreateModel(
            name='Demo',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.SlugField(max_length=60)),
                ('status', models.CharField(default='queued', max_length=10)),
                ('progress', models.FloatField(default=0)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('announced_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.dataset')),
                ('pipeline', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='pipelines.pipeline')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.project')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='runs.run')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='TriggerEvent',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=200)),
                ('nonce', models.CharField(max_length=64, null=True)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('source', models.CharField(max_length=300)),
                ('payload', models.JSONField(default=dict)),
                ('depth', models.PositiveIntegerField(default=0)),
                ('status', models.CharField(default='received', max_length=10)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('replay_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replays', to='runs.triggerevent')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='trigger_events', to='runs.run')),
                ('trigger', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.trigger')),
            ],
            options={
                'indexes': [models.Index(fields=['trigger', '-received_at', '-id'], name='trigger_event_history'), models.Index(condition=models.Q(('status', 'received')), fields=['trigger', 'due_at'], name='trigger_event_waiting')],
                'constraints': [models.UniqueConstraint(fields=('trigger', 'key'), name='trigger_event_once'), models.UniqueConstraint(fields=('trigger', 'nonce'), name='trigger_event_nonce')],
            },
        ),
        migrations.CreateModel(
            name='Host',
            fields=[
                ('id', models.UUIDField(default=backend.core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('studio', models.BooleanField(default=False)),
                ('place', models.CharField(blank=True, max_length=40)),
                ('labels', models.JSONField(default=dict)),
                ('queues', models.JSONField(default=list)),
                ('memory_bytes', models.BigIntegerField(default=0)),
                ('memory_free', models.BigIntegerField(default=0)),
                ('devices', models.JSONField(default=list)),
                ('share', models.PositiveIntegerField(default=1)),
                ('versions', models.JSONField(default=dict)),
                ('groups', models.JSONField(default=dict)),
                ('wanted', models.CharField(default='running', max_length=10)),
                ('wanted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('token_hash', models.CharField(blank=True, db_index=True, max_length=64)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('beat_at', models.DateTimeField(null=True)),
                ('joined_with', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='hosts', to='runs.jointoken')),
            ],
        ),
        migrations.CreateModel(
            name='StepOutput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('port', models.CharField(max_length=60)),
                ('metadata', models.JSONField(default=dict)),
                ('artifact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='artifacts.artifact')),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='outputs', to='runs.steprun')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('step_run', 'port'), name='step_output_unique')],
            },
        ),
        migrations.CreateModel(
            name='StepInput',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('port', models.CharField(max_length=60)),
                ('position', models.IntegerField(default=0)),
                ('output', models.CharField(max_length=60)),
                ('source', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='dependants', to='runs.steprun')),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='runs.steprun')),
                ('need', models.CharField(db_default='all', default='all', max_length=5)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('step_run', 'port', 'position'), name='step_input_unique')],
            },
        ),
        migrations.CreateModel(
            name='MetricPoint',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('attempt', models.PositiveIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('index', models.FloatField()),
                ('value', models.FloatField(null=True)),
                ('at', models.DateTimeField()),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.run')),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'id'], name='metric_point_run'), models.Index(fields=['step_run', 'attempt', 'id'], name='metric_point_step_run')],
            },
        ),
        migrations.CreateModel(
            name='LogLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('attempt', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('stream', models.CharField(max_length=6)),
                ('level', models.CharField(blank=True, max_length=10)),
                ('text', models.TextField()),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.run')),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.steprun')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'id'], name='log_line_run'), models.Index(fields=['step_run', 'attempt', 'id'], name='log_line_step_run')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('status', models.CharField(default='running', max_length=10)),
                ('worker', models.CharField(blank=True, max_length=200)),
                ('error', models.JSONField(null=True)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(null=True)),
                ('step_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='runs.steprun')),
                ('peak_memory', models.BigIntegerField(null=True)),
                ('rows', models.BigIntegerField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('step_run', 'number'), name='attempt_unique')],
            },
        ),
        migrations.CreateModel(
            name='DeviceLease',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('device', models.PositiveIntegerField()),
                ('slot', models.PositiveIntegerField()),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('step_run', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='runs.steprun')),
                ('host', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='runs.host')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('host', 'device', 'slot'), name='device_lease_unique')],
            },
        ),
        # A run's row is written once a step: its graph stays out of it, and the new version fits the page of the old.
        migrations.RunSQL("ALTER TABLE runs_run SET (fillfactor = 40, toast_tuple_target = 256)", migrations.RunSQL.noop),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
