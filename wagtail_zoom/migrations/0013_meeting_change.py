import django.db.models.deletion
import django.utils.timezone
import uuid
import wagtail_zoom.utils.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wagtail_zoom', '0012_leases'),
        ('wagtailcore', '0078_referenceindex'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MeetingChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_owner', models.CharField(blank=True, max_length=36)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('next_try_at', models.DateTimeField(db_index=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('error_class', models.CharField(blank=True, max_length=40)),
                ('error_code', models.IntegerField(null=True)),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('key', models.CharField(max_length=64)),
                ('action', models.CharField(choices=[('create', 'Schedule'), ('update', 'Change'), ('cancel_date', 'Cancel this date'), ('cancel_series', 'Cancel all dates')], max_length=15)),
                ('kind', models.CharField(choices=[('meeting', 'Meeting'), ('webinar', 'Webinar'), ('recording', 'Recording')], max_length=10)),
                ('host_zoom_id', wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ('meeting_zoom_id', wagtail_zoom.utils.fields.ZoomIdField(blank=True, db_index=True, max_length=100)),
                ('created_zoom_id', wagtail_zoom.utils.fields.ZoomIdField(max_length=100, null=True)),
                ('occurrence_id', wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100)),
                ('topic', models.CharField(blank=True, max_length=300)),
                ('payload', wagtail_zoom.utils.fields.SecretField(blank=True, default='', editable=False)),
                ('state', models.CharField(choices=[('waiting', 'On the way to Zoom'), ('done', 'Zoom has it'), ('failed', 'Needs attention'), ('given_up', 'Given up')], default='waiting', max_length=10)),
                ('maybe_sent_at', models.DateTimeField(null=True)),
                ('lookups', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(db_index=True, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wagtail_zoom.zoomaccount')),
                ('meeting', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='changes', to='wagtail_zoom.meeting')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='zoom_meeting_changes', to='wagtailcore.site')),
            ],
            options={
                'verbose_name': 'change of a meeting',
                'verbose_name_plural': 'changes of meetings',
                'indexes': [models.Index(fields=['site', 'state'], name='wagtail_zoom_change_state')],
                'constraints': [models.UniqueConstraint(fields=('site', 'key'), name='wagtail_zoom_change_key'), models.UniqueConstraint(fields=('account', 'created_zoom_id'), name='wagtail_zoom_change_number')],
            },
        ),
    ]
