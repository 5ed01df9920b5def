"""Whether Zoom gives the duration of a date: without it no end is shown."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wagtail_zoom", "0005_purged_occurrences")]

    operations = [
        migrations.AddField(
            model_name="occurrence",
            name="has_end",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
