"""Referrals until they are closed, and nightly runs of the recall."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
    migrations.CreateModel(
        name="Referral",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="referrals", to="screening.site"
                ),
            ),
            (
                "exam",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="referrals", to="screening.exam"
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="referrals", to="screening.review"
                ),
            ),
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
            (
                "state",
                models.CharField(
                    choices=[
                        ("made", "Made, not sent yet"),
                        ("sent", "Sent"),
                        ("received", "Received by the hospital"),
                        ("booked", "Appointment booked"),
                        ("attended", "Attended, no result yet"),
                        ("result_back", "Result back"),
                        ("declined", "Declined"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="made",
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("made_on", models.DateField(verbose_name="made on")),
            ("send_by", models.DateField(verbose_name="to be sent by")),
            ("see_by", models.DateField(verbose_name="to be seen by")),
            ("appointment_on", models.DateField(blank=True, null=True, verbose_name="appointment on")),
            ("result_by", models.DateField(blank=True, null=True, verbose_name="result expected by")),
            ("due_on", models.DateField(blank=True, null=True, verbose_name="next step due on")),
            ("late_since", models.DateField(blank=True, null=True, verbose_name="reported as late since")),
        ],
        options={
            "verbose_name": "referral",
            "verbose_name_plural": "referrals",
            "ordering": ["-created_at", "id"],
            "indexes": [
                models.Index(
                    condition=models.Q(("state__in", ["declined", "result_back", "withdrawn"]), _negated=True),
                    fields=["due_on", "made_on", "id"],
                    name="referral_by_due_day",
                ),
                models.Index(fields=["site", "state", "due_on"], name="referral_by_state"),
                models.Index(fields=["-made_on", "id"], name="referral_newest"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state", "withdrawn"), _negated=True),
                    fields=("exam",),
                    name="referral_one_of_exam",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            ["made", "sent", "received", "booked", "attended", "result_back", "declined", "withdrawn"],
                        )
                    ),
                    name="referral_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("outcome__in", ["refer", "refer_slit_lamp", "refer_urgent"])),
                    name="referral_outcome_refers",
                ),
                models.CheckConstraint(
                    condition=models.Q(("urgency__in", ["routine", "soon", "immediate"])), name="referral_urgency_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state__in", ["declined", "result_back", "withdrawn"]), ("due_on__isnull", True)),
                        models.Q(
                            models.Q(("state__in", ["declined", "result_back", "withdrawn"]), _negated=True),
                            ("due_on__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="referral_due_if_open",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ReferralEvent",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "referral",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="events", to="screening.referral"
                ),
            ),
            (
                "from_state",
                models.CharField(
                    blank=True,
                    choices=[
                        ("made", "Made, not sent yet"),
                        ("sent", "Sent"),
                        ("received", "Received by the hospital"),
                        ("booked", "Appointment booked"),
                        ("attended", "Attended, no result yet"),
                        ("result_back", "Result back"),
                        ("declined", "Declined"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="",
                    max_length=12,
                    verbose_name="from",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("made", "Made, not sent yet"),
                        ("sent", "Sent"),
                        ("received", "Received by the hospital"),
                        ("booked", "Appointment booked"),
                        ("attended", "Attended, no result yet"),
                        ("result_back", "Result back"),
                        ("declined", "Declined"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("happened_on", models.DateField(verbose_name="happened on")),
            ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="note")),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "step of a referral",
            "verbose_name_plural": "steps of referrals",
            "ordering": ["created_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            ["made", "sent", "received", "booked", "attended", "result_back", "declined", "withdrawn"],
                        )
                    ),
                    name="referral_event_state_known",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="ReferralFeedback",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "referral",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="feedback", to="screening.referral"
                ),
            ),
            ("examined_on", models.DateField(verbose_name="examined on")),
            ("is_confirmed", models.BooleanField(verbose_name="confirmed")),
            ("right_grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="right eye: grade")),
            ("left_grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="left eye: grade")),
            (
                "right_oedema",
                models.CharField(
                    choices=[
                        ("none", "None"),
                        ("suspected", "Suspected"),
                        ("not_centre", "Present, centre not involved"),
                        ("centre", "Present, centre involved"),
                        ("unknown", "Cannot tell"),
                    ],
                    default="unknown",
                    max_length=12,
                    verbose_name="right eye: macular oedema",
                ),
            ),
            (
                "left_oedema",
                models.CharField(
                    choices=[
                        ("none", "None"),
                        ("suspected", "Suspected"),
                        ("not_centre", "Present, centre not involved"),
                        ("centre", "Present, centre involved"),
                        ("unknown", "Cannot tell"),
                    ],
                    default="unknown",
                    max_length=12,
                    verbose_name="left eye: macular oedema",
                ),
            ),
            (
                "treatment",
                models.CharField(
                    choices=[
                        ("none", "None needed"),
                        ("observation", "Observation"),
                        ("laser", "Laser"),
                        ("injections", "Injections"),
                        ("surgery", "Surgery"),
                        ("other", "Another treatment"),
                    ],
                    max_length=12,
                    verbose_name="treatment",
                ),
            ),
            ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="note")),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "result of a hospital",
            "verbose_name_plural": "results of hospitals",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("right_grade__isnull", True), ("right_grade__lte", 4), _connector="OR"),
                        models.Q(("left_grade__isnull", True), ("left_grade__lte", 4), _connector="OR"),
                    ),
                    name="feedback_grade_0_to_4",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("left_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"]),
                        ("right_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"]),
                    ),
                    name="feedback_oedema_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("treatment__in", ["none", "observation", "laser", "injections", "surgery", "other"])
                    ),
                    name="feedback_treatment_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="RecallRun",
        fields=[
            ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
            ("ran_at", models.DateTimeField(verbose_name="ran at")),
            ("n_ended", models.PositiveIntegerField(default=0, verbose_name="ended suspensions and opt-outs")),
            ("n_changed", models.PositiveIntegerField(default=0, verbose_name="changed due dates")),
        ],
        options={
            "verbose_name": "run of the due dates",
            "verbose_name_plural": "runs of the due dates",
        },
    ),
    migrations.CreateModel(
        name="LateReferralRun",
        fields=[
            ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
            ("ran_at", models.DateTimeField(verbose_name="ran at")),
            ("n_reported", models.PositiveIntegerField(default=0, verbose_name="newly late")),
        ],
        options={
            "verbose_name": "run of the search for late referrals",
            "verbose_name_plural": "runs of the search for late referrals",
        },
    ),
]
