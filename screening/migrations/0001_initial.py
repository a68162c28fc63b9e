import uuid

import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import screening.models.audit
import screening.models.images
import screening.models.sites


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("mrn", models.CharField(max_length=40, verbose_name="medical record number")),
                ("given_name", models.CharField(max_length=80, verbose_name="given name")),
                ("family_name", models.CharField(max_length=80, verbose_name="family name")),
                ("born_on", models.DateField(verbose_name="birth date")),
                (
                    "sex",
                    models.CharField(
                        choices=[("F", "Female"), ("M", "Male"), ("X", "Other"), ("U", "Unknown")],
                        default="U",
                        max_length=1,
                        verbose_name="sex",
                    ),
                ),
                (
                    "diabetes_type",
                    models.CharField(
                        choices=[
                            ("1", "Type 1"),
                            ("2", "Type 2"),
                            ("other", "Other type"),
                            ("unknown", "Unknown type"),
                        ],
                        default="unknown",
                        max_length=10,
                        verbose_name="diabetes type",
                    ),
                ),
                (
                    "diabetes_since_year",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="diabetes since (year)"),
                ),
            ],
            options={
                "verbose_name": "patient",
                "verbose_name_plural": "patients",
                "ordering": ["family_name", "given_name", "id"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                (
                    "must_change_password",
                    models.BooleanField(default=False, verbose_name="must choose another password"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "ordering": ["username"],
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("prefix", models.CharField(max_length=12, verbose_name="first letters of the key")),
                ("key_hash", models.CharField(max_length=64, unique=True, verbose_name="SHA-256 of the key")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used at")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Exam",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("submitted", "Waiting for review"),
                            ("reviewed", "Reviewed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("submitted_at", models.DateTimeField(blank=True, null=True, verbose_name="submitted at")),
                (
                    "right_eye_absent_reason",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="right eye absent: reason"),
                ),
                (
                    "left_eye_absent_reason",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="left eye absent: reason"),
                ),
                ("worklist_rank", models.PositiveSmallIntegerField(default=2, verbose_name="worklist rank")),
                (
                    "worst_grade",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="worst grade by the model"),
                ),
                (
                    "max_p_referable",
                    models.FloatField(blank=True, null=True, verbose_name="largest probability of a referable eye"),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="exams", to="screening.patient"
                    ),
                ),
            ],
            options={
                "verbose_name": "exam",
                "verbose_name_plural": "exams",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="FundusImage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "laterality",
                    models.CharField(
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                    ),
                ),
                (
                    "field",
                    models.CharField(
                        choices=[("macula", "Macula-centred"), ("disc", "Disc-centred"), ("other", "Other field")],
                        default="macula",
                        max_length=10,
                        verbose_name="field",
                    ),
                ),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the uploaded file")),
                ("file", models.FileField(upload_to=screening.models.images.random_photo_name, verbose_name="file")),
                (
                    "format",
                    models.CharField(
                        choices=[("JPEG", "JPEG"), ("PNG", "PNG"), ("TIFF", "TIFF"), ("WEBP", "WebP")],
                        max_length=4,
                        verbose_name="format",
                    ),
                ),
                ("width_px", models.PositiveIntegerField(verbose_name="width (px, upright)")),
                ("height_px", models.PositiveIntegerField(verbose_name="height (px, upright)")),
                ("n_bytes", models.PositiveIntegerField(verbose_name="size (bytes)")),
                ("camera", models.CharField(blank=True, default="", max_length=80, verbose_name="camera")),
                ("is_synthetic", models.BooleanField(default=False, verbose_name="synthetic, not a patient")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                (
                    "withdrawn_reason",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="withdrawn: reason"),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="images", to="screening.exam"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "fundus image",
                "verbose_name_plural": "fundus images",
                "ordering": ["laterality", "created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Grading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("model_version", models.CharField(max_length=80, verbose_name="model version")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Grading"),
                            ("done", "Graded"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("queued_at", models.DateTimeField(verbose_name="queued at")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="sent to the workers at")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True, verbose_name="duration (ms)")),
                (
                    "failure_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unreadable", "The photograph could not be read."),
                            ("file_missing", "The stored photograph is missing."),
                            ("storage_unavailable", "The stored photograph could not be fetched."),
                            ("time_limit", "Grading took too long and was stopped."),
                            ("worker_lost", "Grading was interrupted three times."),
                            ("model_changed", "The model was replaced while this photograph waited."),
                            ("unexpected", "Grading failed unexpectedly."),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="failure code",
                    ),
                ),
                ("is_gradable", models.BooleanField(blank=True, null=True, verbose_name="is gradable")),
                (
                    "p_gradable",
                    models.FloatField(blank=True, null=True, verbose_name="probability that it is gradable"),
                ),
                ("quality_reasons", models.JSONField(blank=True, default=list, verbose_name="quality reasons")),
                ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
                (
                    "probabilities",
                    models.JSONField(blank=True, null=True, verbose_name="probabilities of grades 0 to 4"),
                ),
                (
                    "p_referable",
                    models.FloatField(blank=True, null=True, verbose_name="probability that it is referable"),
                ),
                ("is_referable", models.BooleanField(blank=True, null=True, verbose_name="is referable")),
                ("operating_point", models.FloatField(blank=True, null=True, verbose_name="operating point")),
                ("heatmap", models.JSONField(blank=True, null=True, verbose_name="heatmap")),
                (
                    "heatmap_box",
                    models.JSONField(blank=True, null=True, verbose_name="box of the heatmap on the photograph"),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="gradings", to="screening.fundusimage"
                    ),
                ),
            ],
            options={
                "verbose_name": "grading",
                "verbose_name_plural": "gradings",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("signed_at", models.DateTimeField(verbose_name="signed at")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("rescreen", "Screen again at the recall date"),
                            ("repeat_imaging", "Take the photographs again"),
                            ("refer_slit_lamp", "Refer for slit-lamp examination"),
                            ("refer", "Refer to a specialist"),
                            ("refer_urgent", "Refer to a specialist at once"),
                        ],
                        max_length=20,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[("routine", "Routine"), ("soon", "Within 3 to 6 months"), ("immediate", "Immediate")],
                        max_length=12,
                        verbose_name="urgency",
                    ),
                ),
                ("recall_on", models.DateField(blank=True, null=True, verbose_name="recall on")),
                ("note", models.TextField(blank=True, default="", max_length=2000, verbose_name="note")),
                (
                    "amend_reason",
                    models.CharField(blank=True, default="", max_length=300, verbose_name="reason of the amendment"),
                ),
                (
                    "amends",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="amendments",
                        to="screening.review",
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="screening.exam"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "review",
                "verbose_name_plural": "reviews",
                "ordering": ["-signed_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="EyeFinding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "laterality",
                    models.CharField(
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                    ),
                ),
                ("is_absent", models.BooleanField(default=False, verbose_name="eye is absent")),
                ("is_gradable", models.BooleanField(verbose_name="is gradable")),
                ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
                (
                    "macular_oedema",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("not_centre", "Present, centre not involved"),
                            ("centre", "Present, centre involved"),
                            ("unknown", "Cannot tell"),
                        ],
                        default="unknown",
                        max_length=12,
                        verbose_name="macular oedema",
                    ),
                ),
                (
                    "changed_reason",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="why changed after the reveal"
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="screening.review"
                    ),
                ),
            ],
            options={
                "verbose_name": "eye finding",
                "verbose_name_plural": "eye findings",
                "ordering": ["laterality", "id"],
            },
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[screening.models.sites.validate_timezone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "reading_mode",
                    models.CharField(
                        choices=[
                            ("blind_first", "Blind first: the reviewer grades before seeing the model's grade"),
                            ("side_by_side", "Side by side: the model's grade is shown at once"),
                            ("triage", "Triage: as side by side, and likely negatives are read last"),
                        ],
                        default="blind_first",
                        max_length=20,
                        verbose_name="reading mode",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="is active")),
            ],
            options={
                "verbose_name": "site",
                "verbose_name_plural": "sites",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reading_mode__in", ["blind_first", "side_by_side", "triage"])),
                        name="site_reading_mode_known",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="patient",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="patients", to="screening.site"
            ),
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "role",
                    models.CharField(
                        choices=[("photographer", "Photographer"), ("reviewer", "Reviewer"), ("manager", "Manager")],
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="screening.site"
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
                "ordering": ["site__name", "user__username", "role"],
            },
        ),
        migrations.AddField(
            model_name="exam",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="exams", to="screening.site"
            ),
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, editable=False, verbose_name="at"
                    ),
                ),
                (
                    "verb",
                    models.CharField(choices=screening.models.audit.verb_choices, max_length=40, verbose_name="verb"),
                ),
                ("object_type", models.CharField(max_length=40, verbose_name="object type")),
                ("object_id", models.CharField(blank=True, default="", max_length=64, verbose_name="object id")),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="data")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="screening.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="FirstReading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "laterality",
                    models.CharField(
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                    ),
                ),
                ("is_gradable", models.BooleanField(verbose_name="is gradable")),
                ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
                (
                    "macular_oedema",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("not_centre", "Present, centre not involved"),
                            ("centre", "Present, centre involved"),
                            ("unknown", "Cannot tell"),
                        ],
                        default="unknown",
                        max_length=12,
                        verbose_name="macular oedema",
                    ),
                ),
                ("is_blind_complete", models.BooleanField(default=False, verbose_name="completes the blind reading")),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="first_readings", to="screening.exam"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "first reading",
                "verbose_name_plural": "first readings",
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("exam", "reviewer", "laterality"), name="first_reading_once"),
                    models.CheckConstraint(
                        condition=models.Q(("laterality__in", ["OD", "OS"])), name="first_reading_laterality_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("grade__isnull", False), ("grade__lte", 4), ("is_gradable", True)),
                            models.Q(("grade__isnull", True), ("is_gradable", False)),
                            _connector="OR",
                        ),
                        name="first_reading_grade_if_gradable",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("macular_oedema__in", ["none", "not_centre", "centre", "unknown"])),
                        name="first_reading_oedema_known",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)), fields=("exam", "sha256"), name="image_once_an_exam"
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(("laterality__in", ["OD", "OS"])), name="image_laterality_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(("field__in", ["macula", "disc", "other"])), name="image_field_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(("height_px__gte", 1), ("n_bytes__gte", 1), ("width_px__gte", 1)),
                name="image_has_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_reason", "")),
                    models.Q(("withdrawn_at__isnull", False), models.Q(("withdrawn_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="image_withdrawn_with_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="grading",
            index=models.Index(fields=["status", "queued_at"], name="grading_by_status"),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.UniqueConstraint(fields=("image", "model_version"), name="grading_once_a_version"),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "running", "done", "failed"])), name="grading_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("grade__isnull", True), ("p_referable__isnull", True), ("probabilities__isnull", True)),
                    models.Q(("is_gradable", True), ("status", "done")),
                    _connector="OR",
                ),
                name="grading_grade_only_if_gradable",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True),
                    models.Q(("is_gradable", False), ("p_gradable__isnull", False)),
                    models.Q(
                        ("grade__isnull", False),
                        ("is_gradable", True),
                        ("is_referable__isnull", False),
                        ("operating_point__isnull", False),
                        ("p_gradable__isnull", False),
                        ("p_referable__isnull", False),
                        ("probabilities__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="grading_done_is_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), _negated=True),
                    models.Q(("failure_code", ""), _negated=True),
                    _connector="OR",
                ),
                name="grading_failed_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(("grade__isnull", True), ("grade__lte", 4), _connector="OR"),
                name="grading_grade_0_to_4",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("p_gradable__isnull", True),
                    models.Q(("p_gradable__gte", 0.0), ("p_gradable__lte", 1.0)),
                    _connector="OR",
                ),
                name="grading_p_gradable_is_fraction",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("p_referable__isnull", True),
                    models.Q(("p_referable__gte", 0.0), ("p_referable__lte", 1.0)),
                    _connector="OR",
                ),
                name="grading_p_referable_is_fraction",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("amends__isnull", True)), fields=("exam",), name="review_signed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(fields=("amends",), name="review_amended_once"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amend_reason", ""), ("amends__isnull", True)),
                    models.Q(("amends__isnull", False), models.Q(("amend_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="review_amended_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome__in", ["rescreen", "repeat_imaging", "refer_slit_lamp", "refer", "refer_urgent"])
                ),
                name="review_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("urgency__in", ["routine", "soon", "immediate"])), name="review_urgency_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.UniqueConstraint(fields=("review", "laterality"), name="finding_once_an_eye"),
        ),
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("laterality__in", ["OD", "OS"])), name="finding_laterality_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("grade__isnull", False), ("grade__lte", 4), ("is_absent", False), ("is_gradable", True)),
                    models.Q(("grade__isnull", True), ("is_gradable", False)),
                    _connector="OR",
                ),
                name="finding_grade_only_if_gradable",
            ),
        ),
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("macular_oedema__in", ["none", "not_centre", "centre", "unknown"])),
                name="finding_oedema_known",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["site", "family_name", "given_name"], name="patient_by_name"),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(fields=("site", "mrn"), name="patient_mrn_once_a_site"),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(condition=models.Q(("mrn", ""), _negated=True), name="patient_has_mrn"),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("sex__in", ["F", "M", "X", "U"])), name="patient_sex_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("diabetes_type__in", ["1", "2", "other", "unknown"])), name="patient_diabetes_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("user", "site", "role"), name="membership_once"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["photographer", "reviewer", "manager"])), name="membership_role_known"
            ),
        ),
        migrations.AddIndex(
            model_name="exam",
            index=models.Index(fields=["site", "status", "worklist_rank", "submitted_at"], name="exam_worklist"),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "submitted", "reviewed", "cancelled"])),
                name="exam_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["open", "cancelled"]), ("submitted_at__isnull", False), _connector="OR"
                ),
                name="exam_submitted_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("worklist_rank__in", [0, 1, 2, 3, 4])), name="exam_rank_known"
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
        ),
    ]
