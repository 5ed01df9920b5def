import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
import wagtail_zoom.utils.fields
from django.conf import settings
from django.db import migrations, models
from wagtail.images import get_image_model_string


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("wagtailcore", "0078_referenceindex"),
        migrations.swappable_dependency(get_image_model_string()),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockUsage",
            fields=[
                ("key", models.CharField(max_length=32, primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "block usage",
                "verbose_name_plural": "block usages",
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("beat_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "heartbeat",
                "verbose_name_plural": "signs of life",
            },
        ),
        migrations.CreateModel(
            name="Host",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content_hash", models.CharField(blank=True, max_length=64)),
                ("provider_ts", models.DateTimeField(blank=True, null=True)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("seen_run", models.PositiveBigIntegerField(default=0)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
                ("missed_run", models.PositiveBigIntegerField(default=0)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("zoom_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("display_name", models.CharField(blank=True, max_length=255)),
                ("user_type", models.PositiveSmallIntegerField(default=0)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("timezone", models.CharField(blank=True, max_length=64)),
                ("totals", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "verbose_name": "host",
                "verbose_name_plural": "hosts",
            },
        ),
        migrations.CreateModel(
            name="ZoomAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("zoom_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100, unique=True)),
                ("number", models.CharField(blank=True, max_length=32)),
                ("name", models.CharField(blank=True, max_length=255)),
                (
                    "plan",
                    models.CharField(
                        choices=[
                            ("unknown", "Not known"),
                            ("free", "Free"),
                            ("pro", "Pro"),
                            ("business", "Business or above"),
                        ],
                        default="unknown",
                        max_length=10,
                    ),
                ),
                ("plan_stated", models.BooleanField(default=False)),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                ("throttled_until", models.DateTimeField(blank=True, null=True)),
                ("throttle_daily", models.BooleanField(default=False)),
                ("lease_owner", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("last_event_at", models.DateTimeField(blank=True, null=True)),
                ("directory_at", models.DateTimeField(blank=True, null=True)),
                ("reconciled_at", models.DateTimeField(blank=True, null=True)),
                ("next_reconcile_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("data_version", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "Zoom account",
                "verbose_name_plural": "Zoom accounts",
            },
        ),
        migrations.CreateModel(
            name="ExposedHost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exposed_on",
                        to="wagtail_zoom.host",
                    ),
                ),
            ],
            options={
                "verbose_name": "shown host",
                "verbose_name_plural": "shown hosts",
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("nonce_hash", models.CharField(blank=True, max_length=64)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.CreateModel(
            name="Meeting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content_hash", models.CharField(blank=True, max_length=64)),
                ("provider_ts", models.DateTimeField(blank=True, null=True)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("seen_run", models.PositiveBigIntegerField(default=0)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
                ("missed_run", models.PositiveBigIntegerField(default=0)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("host_zoom_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("meeting", "Meeting"),
                            ("webinar", "Webinar"),
                            ("recording", "Recording"),
                        ],
                        max_length=10,
                    ),
                ),
                ("zoom_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("uuid", wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100)),
                ("zoom_type", models.PositiveSmallIntegerField(default=0)),
                ("topic", models.CharField(blank=True, max_length=300)),
                ("agenda", models.TextField(blank=True)),
                ("start", models.DateTimeField(blank=True, null=True)),
                ("duration", models.PositiveIntegerField(default=0)),
                ("timezone", models.CharField(blank=True, max_length=64)),
                ("is_private", models.BooleanField(default=False)),
                ("uses_personal_room", models.BooleanField(default=False)),
                ("is_events_webinar", models.BooleanField(default=False)),
                ("requires_login", models.BooleanField(default=False)),
                ("login_domains", models.CharField(blank=True, max_length=255)),
                (
                    "approval_type",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Automatic"), (1, "Manual"), (2, "None")], default=2
                    ),
                ),
                ("registration_type", models.PositiveSmallIntegerField(default=1)),
                ("close_registration", models.BooleanField(default=False)),
                ("capacity", models.PositiveIntegerField(blank=True, null=True)),
                ("registrant_count", models.PositiveIntegerField(blank=True, null=True)),
                ("zoom_confirms", models.BooleanField(default=True)),
                ("zoom_notifies", models.BooleanField(default=True)),
                ("registration_block", models.CharField(blank=True, max_length=20)),
                ("registration_block_at", models.DateTimeField(blank=True, null=True)),
                ("questions", models.JSONField(blank=True, default=dict)),
                ("questions_at", models.DateTimeField(blank=True, null=True)),
                (
                    "join_url",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "passcode",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("detail_at", models.DateTimeField(blank=True, null=True)),
                ("live_since", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("expired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "host",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="meetings",
                        to="wagtail_zoom.host",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meetings",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "meeting",
                "verbose_name_plural": "meetings",
            },
        ),
        migrations.CreateModel(
            name="OAuthState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state_hash", models.CharField(max_length=64, unique=True)),
                ("session_hash", models.CharField(db_index=True, max_length=64)),
                ("client_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("issuer", models.CharField(max_length=200)),
                ("redirect_uri", models.CharField(max_length=300)),
                ("origin", models.CharField(max_length=300)),
                (
                    "verifier",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "code",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "invitation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtail_zoom.invitation",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.site",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "authorisation under way",
                "verbose_name_plural": "authorisations under way",
            },
        ),
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("zoom_id", wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("duration", models.PositiveIntegerField(default=0)),
                ("previous_start", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("moved", "New time"),
                            ("live", "Live now"),
                            ("over", "Over"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Over, no longer at Zoom"),
                        ],
                        default="scheduled",
                        max_length=10,
                    ),
                ),
                ("state_since", models.DateTimeField(default=django.utils.timezone.now)),
                ("sequence", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "meeting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="occurrences",
                        to="wagtail_zoom.meeting",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "date",
                "verbose_name_plural": "dates",
            },
        ),
        migrations.CreateModel(
            name="Recording",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content_hash", models.CharField(blank=True, max_length=64)),
                ("provider_ts", models.DateTimeField(blank=True, null=True)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("seen_run", models.PositiveBigIntegerField(default=0)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
                ("missed_run", models.PositiveBigIntegerField(default=0)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("host_zoom_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("uuid", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                (
                    "meeting_zoom_id",
                    wagtail_zoom.utils.fields.ZoomIdField(
                        blank=True, db_index=True, max_length=100
                    ),
                ),
                ("zoom_type", models.CharField(blank=True, max_length=4)),
                ("is_unscheduled", models.BooleanField(default=False)),
                ("topic", models.CharField(blank=True, max_length=300)),
                ("start", models.DateTimeField()),
                ("duration", models.PositiveIntegerField(default=0)),
                ("timezone", models.CharField(blank=True, max_length=64)),
                (
                    "share_url",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "play_url",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "passcode",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("file_count", models.PositiveIntegerField(default=0)),
                ("file_types", models.JSONField(blank=True, default=list)),
                ("is_ready", models.BooleanField(default=False)),
                ("has_transcript", models.BooleanField(default=False)),
                ("deletes_on", models.DateField(blank=True, null=True)),
                ("trashed_at", models.DateTimeField(blank=True, null=True)),
                ("expired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "host",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="recordings",
                        to="wagtail_zoom.host",
                    ),
                ),
                (
                    "meeting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="recordings",
                        to="wagtail_zoom.meeting",
                    ),
                ),
                (
                    "occurrence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="recordings",
                        to="wagtail_zoom.occurrence",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recordings",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "recording",
                "verbose_name_plural": "recordings",
            },
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("page_id", models.PositiveBigIntegerField(null=True)),
                (
                    "meeting_zoom_id",
                    wagtail_zoom.utils.fields.ZoomIdField(db_index=True, max_length=100),
                ),
                ("snapshot", models.JSONField(default=dict)),
                ("locale", models.CharField(blank=True, max_length=20)),
                (
                    "email",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("email_index", models.CharField(db_index=True, max_length=64)),
                (
                    "answers",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("consented_at", models.DateTimeField(null=True)),
                ("idempotency_key", models.CharField(max_length=64, unique=True)),
                (
                    "identity",
                    wagtail_zoom.utils.fields.SecretField(
                        blank=True, db_default="", default="", editable=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unconfirmed", "Waiting for the person to confirm the address"),
                            ("waiting", "On the way to Zoom"),
                            ("pending", "Waiting for your answer"),
                            ("approved", "Registered"),
                            ("denied", "Denied"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Needs attention"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "zoom_registrant_id",
                    wagtail_zoom.utils.fields.ZoomIdField(
                        blank=True, db_index=True, max_length=100
                    ),
                ),
                (
                    "join_url",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "task",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("add", "Register"),
                            ("cancel", "Cancel"),
                            ("approve", "Approve"),
                            ("deny", "Deny"),
                            ("check", "Compare with Zoom"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("maybe_sent", models.BooleanField(default=False)),
                ("task_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(db_index=True, null=True)),
                ("lease_owner", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(null=True)),
                ("error_class", models.CharField(blank=True, max_length=40)),
                ("error_code", models.IntegerField(null=True)),
                ("mails", models.JSONField(blank=True, default=dict)),
                ("mail_due", models.CharField(blank=True, default="", max_length=20)),
                ("mail_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("purge_on", models.DateField(db_index=True, null=True)),
                (
                    "meeting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="registrations",
                        to="wagtail_zoom.meeting",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="zoom_registrations",
                        to="wagtailcore.site",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "registration",
                "verbose_name_plural": "registrations",
            },
        ),
        migrations.CreateModel(
            name="RegistrationDate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "zoom_occurrence_id",
                    wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100),
                ),
                ("start", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                (
                    "occurrence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="registration_dates",
                        to="wagtail_zoom.occurrence",
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dates",
                        to="wagtail_zoom.registration",
                    ),
                ),
            ],
            options={
                "verbose_name": "date of a registration",
                "verbose_name_plural": "dates of registrations",
            },
        ),
        migrations.CreateModel(
            name="SiteItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("meeting", "Meeting"),
                            ("webinar", "Webinar"),
                            ("recording", "Recording"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("last_title", models.CharField(blank=True, max_length=300)),
                (
                    "visibility",
                    models.CharField(
                        choices=[
                            ("auto", "As the rules say"),
                            ("published", "Published"),
                            ("hidden", "Hidden"),
                        ],
                        default="auto",
                        max_length=10,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=255, verbose_name="own title")),
                (
                    "summary",
                    models.TextField(blank=True, max_length=2000, verbose_name="own summary"),
                ),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="show until")),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=get_image_model_string(),
                        verbose_name="image",
                    ),
                ),
                (
                    "meeting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="site_items",
                        to="wagtail_zoom.meeting",
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="site_items",
                        to="wagtail_zoom.recording",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="zoom_items",
                        to="wagtailcore.site",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="site_items",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "item",
                "verbose_name_plural": "items",
            },
        ),
        migrations.CreateModel(
            name="Transcript",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source_version", models.CharField(blank=True, max_length=150)),
                ("text", models.TextField(blank=True)),
                ("read_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "recording",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transcript",
                        to="wagtail_zoom.recording",
                    ),
                ),
            ],
            options={
                "verbose_name": "transcript",
                "verbose_name_plural": "transcripts",
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "request_id",
                    wagtail_zoom.utils.fields.ZoomIdField(max_length=100, null=True, unique=True),
                ),
                ("content_key", models.CharField(max_length=64, unique=True)),
                (
                    "account_zoom_id",
                    wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100),
                ),
                ("event", models.CharField(max_length=64)),
                ("event_ts", models.BigIntegerField(default=0)),
                (
                    "received_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                ),
                ("lock_key", wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=220)),
                ("payload", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("done", "Done"),
                            ("ignored", "Nothing to do"),
                            ("parked", "For an account that is not connected"),
                            ("dead", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("run_after", models.DateTimeField(default=django.utils.timezone.now)),
                ("error_class", models.CharField(blank=True, max_length=40)),
                ("error_code", models.IntegerField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "webhook event",
                "verbose_name_plural": "webhook events",
                "indexes": [
                    models.Index(fields=["account_zoom_id"], name="wagtail_zoom_event_account"),
                    models.Index(fields=["state", "run_after"], name="wagtail_zoom_event_due"),
                    models.Index(fields=["lock_key", "state"], name="wagtail_zoom_event_lock"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RateBudget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=10)),
                ("slot", models.BigIntegerField(default=0)),
                ("day", models.DateField(null=True)),
                ("day_count", models.PositiveIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "rate budget",
                "verbose_name_plural": "rate budgets",
            },
        ),
        migrations.CreateModel(
            name="ObjectLock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", wagtail_zoom.utils.fields.ZoomIdField(max_length=220, unique=True)),
                ("not_before", models.DateTimeField(default=django.utils.timezone.now)),
                ("lease_owner", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="object_locks",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "object lock",
                "verbose_name_plural": "object locks",
            },
        ),
        migrations.AddField(
            model_name="host",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="hosts",
                to="wagtail_zoom.zoomaccount",
            ),
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("zoom_user_id", wagtail_zoom.utils.fields.ZoomIdField(max_length=100)),
                ("user_name", models.CharField(blank=True, max_length=255)),
                (
                    "user_email",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("scope", models.TextField(blank=True)),
                ("account_level", models.BooleanField(default=False)),
                ("missing_kinds", models.JSONField(blank=True, default=list)),
                (
                    "access_token",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                (
                    "refresh_token",
                    wagtail_zoom.utils.fields.SecretField(blank=True, default="", editable=False),
                ),
                ("api_url", models.CharField(blank=True, max_length=200)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("refreshed_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("generation", models.PositiveIntegerField(default=0)),
                ("lease_owner", models.CharField(blank=True, max_length=36)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("refresh_started_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("connected", "Connected"),
                            ("degraded", "Zoom is not answering"),
                            ("needs_reconnect", "Needs to be connected again"),
                            ("revoked", "Ended"),
                        ],
                        default="connected",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("invalid_grant", "the permission was taken back or ran out in Zoom"),
                            ("lost_rotation", "an answer of Zoom was lost"),
                            ("scope", "a permission is missing"),
                            (
                                "decrypt",
                                "the stored permission cannot be read with the installation's keys",
                            ),
                            (
                                "owner_gone",
                                "the person who connected is no longer in the Zoom account",
                            ),
                            ("disabled", "an administrator has switched the app off in Zoom"),
                            ("client_changed", "this site's Zoom app has changed"),
                            ("deauthorized", "the app was removed in Zoom"),
                            ("disconnected", "it was disconnected here"),
                            ("transient", "Zoom is not answering"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("state_since", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_ok_at", models.DateTimeField(blank=True, null=True)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("reminders_sent", models.JSONField(blank=True, default=list)),
                ("revoke_requested_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("revoke_attempts", models.PositiveSmallIntegerField(default=0)),
                ("connected_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "connected_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "Zoom permission",
                "verbose_name_plural": "Zoom permissions",
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("category", models.CharField(max_length=20)),
                ("code", models.CharField(max_length=50)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("good", "Done"),
                            ("waiting", "Waiting"),
                            ("failed", "Failed"),
                            ("info", "For information"),
                        ],
                        default="info",
                        max_length=10,
                    ),
                ),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="zoom_activity",
                        to="wagtailcore.site",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="activity",
                        to="wagtail_zoom.siteitem",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtail_zoom.webhookevent",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "activity",
                "verbose_name_plural": "activity",
            },
        ),
        migrations.CreateModel(
            name="ZoomSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("linked_at", models.DateTimeField(blank=True, null=True)),
                ("needs_confirmation", models.BooleanField(default=False)),
                ("configured_at", models.DateTimeField(blank=True, null=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("show_meetings", models.BooleanField(default=False, verbose_name="meetings")),
                ("show_webinars", models.BooleanField(default=False, verbose_name="webinars")),
                ("show_recordings", models.BooleanField(default=False, verbose_name="recordings")),
                (
                    "show_registration",
                    models.BooleanField(default=False, verbose_name="registration"),
                ),
                (
                    "item_rule",
                    models.CharField(
                        choices=[
                            ("all", "All of them"),
                            ("registration", "Only those with registration"),
                            ("marked", "Only those marked with a word"),
                            ("picked", "Only those I pick myself"),
                        ],
                        default="all",
                        max_length=12,
                        verbose_name="which of their dates",
                    ),
                ),
                (
                    "mark_word",
                    models.CharField(
                        blank=True,
                        default="#public",
                        help_text="Write it into the topic or the description in Zoom. Visitors do not see it.",
                        max_length=50,
                        verbose_name="the word",
                    ),
                ),
                (
                    "join_policy",
                    models.CharField(
                        choices=[
                            ("public", "Everybody, at any time"),
                            ("window", "Everybody, from some minutes before the start"),
                            ("registrants", "Only people who registered"),
                            ("never", "Nobody, the link stays in Zoom"),
                        ],
                        default="window",
                        max_length=12,
                        verbose_name="who may use the join link",
                    ),
                ),
                (
                    "join_minutes",
                    models.PositiveIntegerField(
                        default=15,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="minutes before the start",
                    ),
                ),
                (
                    "passcode_policy",
                    models.CharField(
                        choices=[
                            ("in_link", "Is part of the join link"),
                            ("registrants", "Only in the email to people who registered"),
                            ("never", "Is never shown"),
                        ],
                        default="in_link",
                        max_length=12,
                        verbose_name="the passcode, when Zoom asks for one",
                    ),
                ),
                (
                    "review_recordings",
                    models.BooleanField(
                        default=True, verbose_name="look at each new recording first"
                    ),
                ),
                (
                    "recording_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Days. Leave empty to keep them.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="take recordings off the pages after",
                    ),
                ),
                (
                    "show_transcripts",
                    models.BooleanField(default=False, verbose_name="transcripts"),
                ),
                (
                    "show_host_names",
                    models.BooleanField(default=True, verbose_name="names of the hosts"),
                ),
                (
                    "organiser",
                    models.CharField(
                        blank=True,
                        help_text="Used in sentences to visitors. Empty: the name of the site.",
                        max_length=100,
                        verbose_name="name of the organiser",
                    ),
                ),
                (
                    "contact_email",
                    models.EmailField(
                        blank=True, max_length=254, verbose_name="email about problems goes to"
                    ),
                ),
                (
                    "privacy_notice",
                    models.TextField(blank=True, verbose_name="privacy notice under the form"),
                ),
                (
                    "consent_text",
                    models.CharField(blank=True, max_length=300, verbose_name="consent to ask for"),
                ),
                (
                    "double_opt_in",
                    models.BooleanField(
                        default=False, verbose_name="ask people to confirm their address first"
                    ),
                ),
                (
                    "registration_days",
                    models.PositiveIntegerField(
                        default=30,
                        help_text="Days after the last date.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="delete registrations after",
                    ),
                ),
                (
                    "base_url",
                    models.URLField(
                        blank=True,
                        help_text="Scheme and host, when visitors know the site by another address.",
                        verbose_name="address used in emails",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="site_settings",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="site_settings",
                        to="wagtail_zoom.grant",
                    ),
                ),
                (
                    "hosts",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        through="wagtail_zoom.ExposedHost",
                        to="wagtail_zoom.host",
                    ),
                ),
                (
                    "site",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="wagtailcore.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "Zoom",
            },
        ),
        migrations.CreateModel(
            name="RecordingRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("host_zoom_id", wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100)),
                (
                    "meeting_zoom_id",
                    wagtail_zoom.utils.fields.ZoomIdField(blank=True, max_length=100),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("publish", "Publish automatically"),
                            ("review", "Wait for a look"),
                            ("hide", "Hide"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "settings",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recording_rules",
                        to="wagtail_zoom.zoomsettings",
                    ),
                ),
            ],
            options={
                "verbose_name": "recording rule",
                "verbose_name_plural": "recording rules",
            },
        ),
        migrations.AddField(
            model_name="exposedhost",
            name="settings",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="wagtail_zoom.zoomsettings",
            ),
        ),
        migrations.CreateModel(
            name="ItemTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=50)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="wagtail_zoom.siteitem",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag",
                "verbose_name_plural": "tags",
                "ordering": ["name"],
                "indexes": [models.Index(fields=["name"], name="wagtail_zoom_tag_name")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("item", "name"), name="wagtail_zoom_tag_identity"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("backfill", "First import"),
                            ("reconcile", "Comparison with Zoom"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Broke off"),
                            ("cancelled", "Stopped"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("beat_at", models.DateTimeField(null=True)),
                ("cursor", models.JSONField(blank=True, default=dict)),
                ("progress", models.JSONField(blank=True, default=dict)),
                ("counts", models.JSONField(blank=True, default=dict)),
                ("run_again", models.BooleanField(default=False)),
                ("cancel_requested", models.BooleanField(default=False)),
                ("allow_removals", models.BooleanField(default=False)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("error_class", models.CharField(blank=True, max_length=40)),
                ("error_code", models.IntegerField(null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="wagtail_zoom.zoomaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "sync run",
                "verbose_name_plural": "sync runs",
                "indexes": [
                    models.Index(fields=["account", "state"], name="wagtail_zoom_run_state")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="siteitem",
            index=models.Index(
                fields=["site", "kind", "visibility"], name="wagtail_zoom_item_state"
            ),
        ),
        migrations.AddIndex(
            model_name="siteitem",
            index=models.Index(
                fields=["site", "kind", "expires_on"], name="wagtail_zoom_item_until"
            ),
        ),
        migrations.AddConstraint(
            model_name="siteitem",
            constraint=models.UniqueConstraint(
                fields=("site", "account", "kind", "key"), name="wagtail_zoom_item_identity"
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["site", "state"], name="wagtail_zoom_reg_site"),
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(fields=["account", "start"], name="wagtail_zoom_rec_start"),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.UniqueConstraint(
                fields=("account", "uuid"), name="wagtail_zoom_recording_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="ratebudget",
            constraint=models.UniqueConstraint(
                fields=("account", "label"), name="wagtail_zoom_budget_identity"
            ),
        ),
        migrations.AddIndex(
            model_name="occurrence",
            index=models.Index(fields=["account", "start"], name="wagtail_zoom_occ_start"),
        ),
        migrations.AddIndex(
            model_name="occurrence",
            index=models.Index(fields=["account", "end"], name="wagtail_zoom_occ_end"),
        ),
        migrations.AddConstraint(
            model_name="occurrence",
            constraint=models.UniqueConstraint(
                fields=("meeting", "zoom_id"), name="wagtail_zoom_occurrence_identity"
            ),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(
                fields=["account", "kind", "host"], name="wagtail_zoom_meeting_scope"
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.UniqueConstraint(
                fields=("account", "zoom_id"), name="wagtail_zoom_meeting_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="host",
            constraint=models.UniqueConstraint(
                fields=("account", "zoom_id"), name="wagtail_zoom_host_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                fields=("client_id", "account", "zoom_user_id"), name="wagtail_zoom_grant_identity"
            ),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["site", "created_at"], name="wagtail_zoom_activity_at"),
        ),
        migrations.AddConstraint(
            model_name="recordingrule",
            constraint=models.UniqueConstraint(
                fields=("settings", "host_zoom_id", "meeting_zoom_id"),
                name="wagtail_zoom_recrule_identity",
            ),
        ),
        migrations.AddConstraint(
            model_name="exposedhost",
            constraint=models.UniqueConstraint(
                fields=("settings", "host"), name="wagtail_zoom_exposedhost_identity"
            ),
        ),
    ]
