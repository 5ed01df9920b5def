"""Dates that an owner hides, one by one."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wagtail_zoom', '0009_first_run'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HiddenDate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField()),
                ('hidden_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('hidden_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hidden_dates', to='wagtail_zoom.siteitem')),
            ],
            options={
                'verbose_name': 'hidden date',
                'verbose_name_plural': 'hidden dates',
                'indexes': [models.Index(fields=['public_id'], name='wagtail_zoom_hiddendate_id')],
                'constraints': [models.UniqueConstraint(fields=('item', 'public_id'), name='wagtail_zoom_hiddendate_identity')],
            },
        ),
    ]
