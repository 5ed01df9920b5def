from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("wagtail_zoom", "0013_meeting_change")]

    operations = [
        migrations.AddField(
            model_name="grant",
            name="failed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
