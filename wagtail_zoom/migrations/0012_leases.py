from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("wagtail_zoom", "0011_submission_count")]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="lease_owner",
            field=models.CharField(blank=True, db_default="", default="", max_length=36),
        ),
        migrations.AddField(
            model_name="heartbeat",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="objectlock",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="registration",
            name="lease_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
