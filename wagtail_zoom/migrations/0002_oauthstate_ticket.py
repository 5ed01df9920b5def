"""A code is used only with the ticket that its browser got."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wagtail_zoom", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="oauthstate",
            name="ticket_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
