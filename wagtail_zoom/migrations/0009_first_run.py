"""The owner's checklist for the first run, and who connected a Site.

Sites that were set up before get no checklist.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def end_for_configured_sites(apps, schema_editor):
    settings_rows = apps.get_model("wagtail_zoom", "ZoomSettings").objects.using(
        schema_editor.connection.alias
    )
    settings_rows.filter(configured_at__isnull=False).update(checklist_ends_at=F("configured_at"))


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("wagtail_zoom", "0008_registrant_count_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="zoomsettings",
            name="checklist_ends_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="zoomsettings",
            name="linked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(end_for_configured_sites, migrations.RunPython.noop, elidable=True),
    ]
