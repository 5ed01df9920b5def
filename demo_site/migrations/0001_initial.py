import django.db.models.deletion
import wagtail.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('wagtailcore', '0078_referenceindex'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventsPage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to='wagtailcore.page')),
                ('lead', models.TextField(blank=True)),
                ('body', wagtail.fields.StreamField([('meetings', 0), ('next_meeting', 1), ('meeting', 2), ('calendar', 3), ('recordings', 4), ('registration', 5), ('text', 6)], blank=True, block_lookup={0: ('wagtail_zoom.blocks.MeetingListBlock', [], {}), 1: ('wagtail_zoom.blocks.NextMeetingBlock', [], {}), 2: ('wagtail_zoom.blocks.MeetingBlock', [], {}), 3: ('wagtail_zoom.blocks.CalendarBlock', [], {}), 4: ('wagtail_zoom.blocks.RecordingListBlock', [], {}), 5: ('wagtail_zoom.blocks.RegistrationFormBlock', [], {}), 6: ('wagtail.blocks.RichTextBlock', (), {'features': ['h2', 'h3', 'bold', 'italic', 'ol', 'ul', 'link']})})),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
        migrations.CreateModel(
            name='HomePage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to='wagtailcore.page')),
                ('lead', models.TextField(blank=True)),
                ('body', wagtail.fields.StreamField([('meetings', 0), ('next_meeting', 1), ('meeting', 2), ('calendar', 3), ('recordings', 4), ('registration', 5), ('text', 6)], blank=True, block_lookup={0: ('wagtail_zoom.blocks.MeetingListBlock', [], {}), 1: ('wagtail_zoom.blocks.NextMeetingBlock', [], {}), 2: ('wagtail_zoom.blocks.MeetingBlock', [], {}), 3: ('wagtail_zoom.blocks.CalendarBlock', [], {}), 4: ('wagtail_zoom.blocks.RecordingListBlock', [], {}), 5: ('wagtail_zoom.blocks.RegistrationFormBlock', [], {}), 6: ('wagtail.blocks.RichTextBlock', (), {'features': ['h2', 'h3', 'bold', 'italic', 'ol', 'ul', 'link']})})),
                ('site_name', models.CharField(max_length=60)),
                ('theme', models.CharField(choices=[('aurora', 'Aurora'), ('borealis', 'Borealis'), ('harbour', 'Harbour')], default='aurora', max_length=10)),
                ('address', models.CharField(blank=True, max_length=120)),
                ('email', models.EmailField(blank=True, max_length=254)),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
        migrations.CreateModel(
            name='RecordingsPage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to='wagtailcore.page')),
                ('lead', models.TextField(blank=True)),
                ('body', wagtail.fields.StreamField([('meetings', 0), ('next_meeting', 1), ('meeting', 2), ('calendar', 3), ('recordings', 4), ('registration', 5), ('text', 6)], blank=True, block_lookup={0: ('wagtail_zoom.blocks.MeetingListBlock', [], {}), 1: ('wagtail_zoom.blocks.NextMeetingBlock', [], {}), 2: ('wagtail_zoom.blocks.MeetingBlock', [], {}), 3: ('wagtail_zoom.blocks.CalendarBlock', [], {}), 4: ('wagtail_zoom.blocks.RecordingListBlock', [], {}), 5: ('wagtail_zoom.blocks.RegistrationFormBlock', [], {}), 6: ('wagtail.blocks.RichTextBlock', (), {'features': ['h2', 'h3', 'bold', 'italic', 'ol', 'ul', 'link']})})),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
    ]
