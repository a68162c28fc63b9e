"""People who log in, sites, roles, keys and the audit trail."""

import uuid

import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import screening.models.audit
import screening.models.message_settings
import screening.models.sites

OPERATIONS = [
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
            ("must_change_password", models.BooleanField(default=False, verbose_name="must choose another password")),
            (
                "n_failed_logins",
                models.PositiveIntegerField(
                    default=0, editable=False, verbose_name="wrong passwords since the last log-in"
                ),
            ),
            ("language", models.CharField(blank=True, max_length=10, verbose_name="language of pages")),
            (
                "lockout_notice_at",
                models.DateTimeField(editable=False, null=True, verbose_name="notice of wrong passwords sent at"),
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
        name="Site",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "message_mode",
                models.CharField(
                    choices=[
                        ("off", "Off"),
                        ("manual", "A person sends them"),
                        ("automatic", "Those of the due list are sent by themselves"),
                    ],
                    default="off",
                    max_length=10,
                    verbose_name="messages to people",
                ),
            ),
            (
                "message_sender",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="As people know the clinic. It must not name a disease.",
                    max_length=40,
                    verbose_name="name of the sender of messages",
                ),
            ),
            (
                "message_phone",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="For people to call.",
                    max_length=40,
                    verbose_name="telephone number in messages",
                ),
            ),
            (
                "message_language",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="For people whose language is not recorded, such as en. Empty: the language of this installation.",
                    max_length=16,
                    validators=[screening.models.message_settings.validate_language],
                    verbose_name="language of messages",
                ),
            ),
            (
                "phone_region",
                models.CharField(
                    blank=True,
                    default="",
                    help_text="Of numbers without +, such as GB. Empty: no text message is sent to such a number.",
                    max_length=2,
                    validators=[screening.models.message_settings.validate_region],
                    verbose_name="country of telephone numbers",
                ),
            ),
            (
                "messages_need_consent",
                models.BooleanField(
                    default=True,
                    help_text="Off: people who were not asked get messages too. Those who refused never do.",
                    verbose_name="messages need consent",
                ),
            ),
            (
                "quiet_from_h",
                models.PositiveSmallIntegerField(
                    default=20,
                    validators=[django.core.validators.MaxValueValidator(23)],
                    verbose_name="no messages from (hour)",
                ),
            ),
            (
                "quiet_until_h",
                models.PositiveSmallIntegerField(
                    default=8,
                    validators=[django.core.validators.MaxValueValidator(23)],
                    verbose_name="no messages until (hour)",
                ),
            ),
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
            (
                "model",
                models.CharField(
                    choices=[
                        ("accurate", "Accurate: grades better, takes about six times as long"),
                        ("fast", "Fast: for many photographs and small machines"),
                    ],
                    default="accurate",
                    help_text="Photographs that are graded already keep their results.",
                    max_length=8,
                    verbose_name="model that grades exams",
                ),
            ),
            (
                "requires_macula",
                models.BooleanField(
                    default=True,
                    help_text="Of each eye. The page of an exam says what is missing before it is handed over.",
                    verbose_name="macula-centred photograph required",
                ),
            ),
            (
                "requires_optic_disc",
                models.BooleanField(default=False, verbose_name="disc-centred photograph required"),
            ),
            (
                "required_facts",
                models.JSONField(
                    blank=True,
                    default=list,
                    help_text="Without one of them an exam is submitted only after a confirmation.",
                    verbose_name="facts required of a visit",
                ),
            ),
            (
                "photographers_see_grades",
                models.BooleanField(
                    blank=True,
                    choices=[
                        (True, "Yes"),
                        (False, "No, only the quality"),
                        (None, "As usual: not at blind-first sites"),
                    ],
                    default=None,
                    null=True,
                    verbose_name="photographers see the model's grade",
                ),
            ),
            (
                "hides_identity",
                models.BooleanField(
                    default=True,
                    help_text="They see age band and sex of a person. Without it they see what a reviewer sees.",
                    verbose_name="outside readers see no names",
                ),
            ),
            (
                "scale",
                models.CharField(
                    choices=[
                        ("icdr", "ICDR, five grades"),
                        ("england", "England, features-based (R0 to R3A)"),
                        ("scotland", "Scotland (R0 to R4)"),
                    ],
                    default="icdr",
                    help_text="Signed results keep the scale in which they were signed.",
                    max_length=8,
                    verbose_name="grading scale",
                ),
            ),
            (
                "reading_target_routine_h",
                models.PositiveIntegerField(
                    default=336,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(2160),
                    ],
                    verbose_name="hours until a routine exam should be read",
                ),
            ),
            (
                "reading_target_soon_h",
                models.PositiveIntegerField(
                    default=72,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(2160),
                    ],
                    verbose_name="hours until an exam that should be read soon is due",
                ),
            ),
            (
                "reading_target_immediate_h",
                models.PositiveIntegerField(
                    default=4,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(2160),
                    ],
                    verbose_name="hours until an exam that should be read immediately is due",
                ),
            ),
            (
                "invite_before_days",
                models.PositiveSmallIntegerField(
                    default=42, verbose_name="days before the due date at which people are invited"
                ),
            ),
            (
                "overdue_after_days",
                models.PositiveSmallIntegerField(
                    default=42, verbose_name="days after the due date at which people are overdue"
                ),
            ),
            (
                "reminder_after_days",
                models.PositiveSmallIntegerField(default=14, verbose_name="days from the invitation to the reminder"),
            ),
            (
                "second_try_after_days",
                models.PositiveSmallIntegerField(
                    default=28, verbose_name="days from the reminder or a missed appointment to the second invitation"
                ),
            ),
            (
                "phone_after_days",
                models.PositiveSmallIntegerField(
                    default=28, verbose_name="days from the second invitation to the telephone call"
                ),
            ),
            (
                "lost_after_days",
                models.PositiveSmallIntegerField(
                    default=28, verbose_name="days after the telephone call at which people are lost to follow-up"
                ),
            ),
            (
                "lost_after_months",
                models.PositiveSmallIntegerField(
                    default=36,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(120),
                    ],
                    verbose_name="months after the due date at which people are lost to follow-up, with or without contacts",
                ),
            ),
            (
                "referral_sent_soon_days",
                models.PositiveSmallIntegerField(
                    default=21,
                    help_text="From the day of the photographs. Referrals that exist keep their days.",
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="days until a referral is sent",
                ),
            ),
            (
                "referral_seen_soon_days",
                models.PositiveSmallIntegerField(
                    default=91,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="days until a referred patient is seen",
                ),
            ),
            (
                "referral_sent_immediate_days",
                models.PositiveSmallIntegerField(
                    default=14,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="days until an urgent referral is sent",
                ),
            ),
            (
                "referral_seen_immediate_days",
                models.PositiveSmallIntegerField(
                    default=42,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="days until a patient who was referred urgently is seen",
                ),
            ),
            (
                "referral_result_days",
                models.PositiveSmallIntegerField(
                    default=28,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="days from the examination to its result",
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
                ),
                models.CheckConstraint(
                    condition=models.Q(("model__in", ["accurate", "fast"])), name="site_model_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="site_scale_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("reading_target_immediate_h__gte", 1),
                        ("reading_target_routine_h__gte", 1),
                        ("reading_target_soon_h__gte", 1),
                    ),
                    name="site_reading_targets_positive",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("message_mode", "off"),
                        models.Q(
                            models.Q(("message_sender", ""), _negated=True),
                            models.Q(("message_phone", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="site_messages_have_sender",
                ),
            ],
        },
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
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="screening.site"
                ),
            ),
            (
                "role",
                models.CharField(
                    choices=[
                        ("photographer", "Photographer"),
                        ("reviewer", "Reviewer"),
                        ("senior_reviewer", "Senior reviewer"),
                        ("manager", "Manager"),
                        ("outside_reader", "Outside reader"),
                        ("trainee", "Reader in training"),
                    ],
                    max_length=20,
                    verbose_name="role",
                ),
            ),
        ],
        options={
            "verbose_name": "membership",
            "verbose_name_plural": "memberships",
            "ordering": ["site__name", "user__username", "role"],
            "constraints": [
                models.UniqueConstraint(fields=("user", "site", "role"), name="membership_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "role__in",
                            ["photographer", "reviewer", "senior_reviewer", "manager", "outside_reader", "trainee"],
                        )
                    ),
                    name="membership_role_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Invitation",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="screening.site"
                ),
            ),
            ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
            ("roles", models.JSONField(default=list, verbose_name="roles")),
            ("code_hash", models.CharField(max_length=64, unique=True, verbose_name="SHA-256 of the code")),
            ("is_mailed", models.BooleanField(default=False, verbose_name="was sent by e-mail")),
            ("expires_at", models.DateTimeField(verbose_name="expires at")),
            ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
            ("cancelled_at", models.DateTimeField(blank=True, null=True, verbose_name="cancelled at")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "invitation",
            "verbose_name_plural": "invitations",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "-created_at"], name="invitation_by_site")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("used_at__isnull", True), ("cancelled_at__isnull", True), _connector="OR"),
                    name="invitation_ends_once",
                )
            ],
        },
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
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="api_keys", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("name", models.CharField(max_length=80, verbose_name="name")),
            ("prefix", models.CharField(max_length=12, verbose_name="first letters of the key")),
            ("key_hash", models.CharField(max_length=64, unique=True, verbose_name="SHA-256 of the key")),
            ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used at")),
            ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
            ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
        ],
        options={
            "verbose_name": "API key",
            "verbose_name_plural": "API keys",
            "ordering": ["-created_at", "id"],
        },
    ),
    migrations.CreateModel(
        name="IdempotencyKey",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("route", models.CharField(max_length=80, verbose_name="name of the URL")),
            ("key_hash", models.CharField(max_length=64, verbose_name="hash of the key")),
            ("request_hash", models.CharField(max_length=64, verbose_name="hash of the request")),
            ("status", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="status of the response")),
            ("object_id", models.UUIDField(blank=True, null=True, verbose_name="object id")),
        ],
        options={
            "verbose_name": "idempotency key",
            "verbose_name_plural": "idempotency keys",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["created_at"], name="idempotency_key_by_age")],
            "constraints": [
                models.UniqueConstraint(fields=("user", "route", "key_hash"), name="idempotency_key_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("object_id__isnull", True), ("status__isnull", True)),
                        models.Q(("object_id__isnull", False), ("status__isnull", False)),
                        _connector="OR",
                    ),
                    name="idempotency_key_finished_has_object",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ReadingLayout",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "user",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="reading_layout",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "view",
                models.CharField(
                    choices=[
                        ("eyes", "Right and left eye"),
                        ("visits", "This visit and the one before"),
                        ("fields", "Two fields of each eye"),
                    ],
                    default="eyes",
                    max_length=8,
                    verbose_name="view",
                ),
            ),
            ("shows_panel", models.BooleanField(default=True, verbose_name="shows the side panel")),
            ("shows_strip", models.BooleanField(default=True, verbose_name="shows the strip of photographs")),
        ],
        options={
            "verbose_name": "layout of the reading page",
            "verbose_name_plural": "layouts of the reading page",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("view__in", ["eyes", "visits", "fields"])), name="layout_view_known"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="WorklistLayout",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "user",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="worklist_layout",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("is_dense", models.BooleanField(default=True, verbose_name="rows are low")),
        ],
        options={
            "verbose_name": "layout of the worklist",
            "verbose_name_plural": "layouts of the worklist",
        },
    ),
    migrations.CreateModel(
        name="StaffChange",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="staff_changes", to="screening.site"
                ),
            ),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("invited", "Invited"),
                        ("cancelled", "Invitation cancelled"),
                        ("joined", "Accepted an invitation"),
                        ("roles", "Roles changed"),
                        ("deactivated", "Deactivated"),
                        ("reactivated", "Reactivated"),
                    ],
                    max_length=12,
                    verbose_name="kind",
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="staff_changes",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("number", models.PositiveIntegerField(null=True, verbose_name="version")),
            (
                "invitation",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="changes",
                    to="screening.invitation",
                ),
            ),
            ("roles", models.JSONField(default=list, verbose_name="roles")),
            ("is_active", models.BooleanField(default=True, verbose_name="is active")),
            ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "change in the staff of a site",
            "verbose_name_plural": "changes in the staff of sites",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "-created_at"], name="staff_change_by_site")],
            "constraints": [
                models.UniqueConstraint(fields=("site", "user", "number"), name="staff_version_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        ("kind__in", ["invited", "cancelled", "joined", "roles", "deactivated", "reactivated"])
                    ),
                    name="staff_change_kind_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("number__gte", 1), ("user__isnull", False)),
                        models.Q(("invitation__isnull", False), ("number__isnull", True), ("user__isnull", True)),
                        _connector="OR",
                    ),
                    name="staff_change_names_someone",
                ),
            ],
        },
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
                "actor",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("verb", models.CharField(choices=screening.models.audit.verb_choices, max_length=40, verbose_name="verb")),
            ("object_type", models.CharField(max_length=40, verbose_name="object type")),
            ("object_id", models.CharField(blank=True, default="", max_length=64, verbose_name="object id")),
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
            ("data", models.JSONField(blank=True, default=dict, verbose_name="data")),
            ("role", models.CharField(blank=True, default="", max_length=120, verbose_name="role")),
            (
                "purpose",
                models.CharField(
                    blank=True,
                    choices=[
                        ("TREAT", "Treatment"),
                        ("ETREAT", "Treatment in an emergency"),
                        ("HOPERAT", "Operation of the clinic"),
                        ("HQUALIMP", "Improvement of quality"),
                        ("HRESCH", "Research"),
                        ("PATRQT", "Request of the patient"),
                        ("SYSTEM", "Task of the system"),
                    ],
                    default="",
                    max_length=10,
                    verbose_name="purpose",
                ),
            ),
            ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="IP address")),
            ("request_id", models.CharField(blank=True, default="", max_length=64, verbose_name="request id")),
            ("key_id", models.CharField(blank=True, default="", max_length=64, verbose_name="id of the API key")),
        ],
        options={
            "verbose_name": "audit event",
            "verbose_name_plural": "audit events",
            "ordering": ["-id"],
            "indexes": [
                models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
                models.Index(django.db.models.fields.json.KeyTextTransform("record", "data"), name="audit_by_record"),
                models.Index(fields=["site", "-at", "-id"], name="audit_of_site"),
                models.Index(fields=["site", "verb", "-at", "-id"], name="audit_by_verb"),
                models.Index(fields=["actor", "-at", "-id"], name="audit_by_actor"),
            ],
        },
    ),
]
