from django.db import migrations

import wagtail_zoom.models.fields


class Migration(migrations.Migration):

    dependencies = [
        ('wagtail_zoom', '0002_transcript'),
    ]

    operations = [
        migrations.AddField(
            model_name='registration',
            name='identity',
            field=wagtail_zoom.models.fields.SecretField(db_default=''),
        ),
    ]
