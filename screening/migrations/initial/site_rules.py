"""Versioned rules of a site, its letterhead and its texts."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
    migrations.CreateModel(
        name="SiteProtocol",
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
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="protocols",
                    to="screening.site",
                    verbose_name="site",
                ),
            ),
            ("number", models.PositiveIntegerField(verbose_name="version")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("single", "One reader"),
                        ("double_positives", "Two readers for every positive and for a sample of the negatives"),
                        ("double_all", "Two readers for every exam"),
                        (
                            "triage",
                            "Triage: one reader for clear negatives of good quality outside the sample, two for all others",
                        ),
                    ],
                    max_length=20,
                    verbose_name="readers of an exam",
                ),
            ),
            (
                "negative_percent",
                models.PositiveSmallIntegerField(
                    default=10,
                    validators=[django.core.validators.MaxValueValidator(100)],
                    verbose_name="negatives that are read twice, in per cent",
                ),
            ),
            (
                "arbitrates_any_difference",
                models.BooleanField(default=False, verbose_name="any difference of a grade goes to a senior reviewer"),
            ),
            (
                "repeat_percent",
                models.PositiveSmallIntegerField(
                    default=3,
                    validators=[django.core.validators.MaxValueValidator(100)],
                    verbose_name="signed exams that come back to their reader, in per cent",
                ),
            ),
            (
                "repeat_weeks",
                models.PositiveSmallIntegerField(
                    default=8,
                    validators=[
                        django.core.validators.MinValueValidator(4),
                        django.core.validators.MaxValueValidator(26),
                    ],
                    verbose_name="weeks until they come back",
                ),
            ),
            (
                "measured",
                models.JSONField(blank=True, default=dict, verbose_name="measured on signed eyes of the site"),
            ),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "reading protocol of a site",
            "verbose_name_plural": "reading protocols of sites",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("site", "number"), name="protocol_version_once"),
                models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="protocol_version_from_1"),
                models.CheckConstraint(
                    condition=models.Q(("kind__in", ["single", "double_positives", "double_all", "triage"])),
                    name="protocol_kind_known",
                ),
                models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="protocol_has_reason"),
                models.CheckConstraint(
                    condition=models.Q(("negative_percent__lte", 100), ("repeat_percent__lte", 100)),
                    name="protocol_percent_in_range",
                ),
                models.CheckConstraint(
                    condition=models.Q(("repeat_weeks__gte", 4), ("repeat_weeks__lte", 26)),
                    name="protocol_weeks_in_range",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="SiteOutcomeTable",
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
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="outcome_tables",
                    to="screening.site",
                    verbose_name="site",
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
                    max_length=8,
                    verbose_name="grading scale",
                ),
            ),
            ("number", models.PositiveIntegerField(verbose_name="version")),
            ("valid_from", models.DateField(verbose_name="valid from")),
            ("rules", models.JSONField(verbose_name="rules")),
            (
                "negative_months",
                models.PositiveSmallIntegerField(
                    blank=True, null=True, verbose_name="months after two negative screens in a row"
                ),
            ),
            (
                "pregnancy_months",
                models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="months at most in pregnancy"),
            ),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "outcome table of a site",
            "verbose_name_plural": "outcome tables of sites",
            "ordering": ["-created_at", "id"],
            "indexes": [
                models.Index(fields=["site", "scale", "-valid_from", "-number"], name="outcome_table_in_force")
            ],
            "constraints": [
                models.UniqueConstraint(fields=("site", "scale", "number"), name="outcome_table_version_once"),
                models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="outcome_table_version_from_1"),
                models.CheckConstraint(
                    condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="outcome_table_scale_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("reason", ""), _negated=True), name="outcome_table_has_reason"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="SiteThreshold",
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
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="thresholds",
                    to="screening.site",
                    verbose_name="site",
                ),
            ),
            ("model_version", models.CharField(max_length=80, verbose_name="model version")),
            (
                "origin",
                models.CharField(
                    choices=[
                        ("model", "The model's own"),
                        ("table", "Chosen from the model's table"),
                        ("fitted", "Fitted to photographs of the site"),
                    ],
                    max_length=8,
                    verbose_name="origin",
                ),
            ),
            (
                "operating_point",
                models.FloatField(
                    validators=[
                        django.core.validators.MinValueValidator(0.001),
                        django.core.validators.MaxValueValidator(0.999),
                    ],
                    verbose_name="operating point",
                ),
            ),
            ("temperature", models.FloatField(default=1.0, verbose_name="temperature")),
            (
                "measured",
                models.JSONField(blank=True, default=dict, verbose_name="measured on the photographs of the site"),
            ),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "threshold of a site",
            "verbose_name_plural": "thresholds of sites",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "model_version", "-created_at"], name="threshold_in_use")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("origin__in", ["model", "table", "fitted"])), name="site_threshold_origin_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("operating_point__gt", 0.0), ("operating_point__lt", 1.0), ("temperature__gt", 0.0)
                    ),
                    name="site_threshold_in_range",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Letterhead",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="letterheads", to="screening.site"
                ),
            ),
            ("name", models.CharField(max_length=120, verbose_name="name of the institution")),
            ("address", models.TextField(blank=True, default="", max_length=492, verbose_name="address")),
            (
                "hospital_address",
                models.TextField(
                    blank=True, default="", max_length=492, verbose_name="name and address of the eye hospital"
                ),
            ),
            ("logo", models.BinaryField(blank=True, default=b"", verbose_name="logo")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "letterhead",
            "verbose_name_plural": "letterheads",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "-created_at"], name="letterhead_newest")],
            "constraints": [
                models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="letterhead_has_name")
            ],
        },
    ),
    migrations.CreateModel(
        name="MessageTemplate",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="message_templates", to="screening.site"
                ),
            ),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("invitation", "Invitation"),
                        ("reminder", "Reminder"),
                        ("did_not_attend", "Missed appointment"),
                        ("result_ready", "Result is ready"),
                        ("appointment", "Appointment"),
                        ("result_rescreen", "Result: screen again at the recall date"),
                        ("result_repeat", "Result: take the photographs again"),
                        ("result_slit_lamp", "Result: slit-lamp examination"),
                        ("result_refer", "Result: referral"),
                        ("result_urgent", "Result: referral at once"),
                        ("doctor", "Result to the doctor"),
                        ("hospital", "Referral to the eye hospital"),
                    ],
                    max_length=16,
                    verbose_name="kind",
                ),
            ),
            (
                "channel",
                models.CharField(
                    choices=[("email", "E-mail"), ("sms", "Text message"), ("letter", "Letter")],
                    max_length=8,
                    verbose_name="channel",
                ),
            ),
            ("language", models.CharField(max_length=16, verbose_name="language")),
            ("number", models.PositiveIntegerField(verbose_name="version")),
            ("subject", models.CharField(blank=True, default="", max_length=120, verbose_name="subject")),
            ("body", models.CharField(max_length=3000, verbose_name="text")),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "text of messages",
            "verbose_name_plural": "texts of messages",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("site", "kind", "channel", "language", "number"), name="message_template_version_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("channel", "letter"),
                            (
                                "kind__in",
                                [
                                    "invitation",
                                    "reminder",
                                    "did_not_attend",
                                    "result_rescreen",
                                    "result_repeat",
                                    "result_slit_lamp",
                                    "result_refer",
                                    "result_urgent",
                                    "doctor",
                                    "hospital",
                                ],
                            ),
                        ),
                        models.Q(
                            ("channel__in", ["email", "sms"]),
                            ("kind__in", ["invitation", "reminder", "did_not_attend", "result_ready", "appointment"]),
                        ),
                        _connector="OR",
                    ),
                    name="message_template_key_known",
                ),
                models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="message_template_version_from_1"),
                models.CheckConstraint(
                    condition=models.Q(("reason", ""), _negated=True), name="message_template_has_reason"
                ),
            ],
        },
    ),
]
