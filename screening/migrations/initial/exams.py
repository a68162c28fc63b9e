"""Exams and what is recorded at them; bookings."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
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
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="exams", to="screening.site"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="exams", to="screening.patient"
                ),
            ),
            (
                "status",
                models.CharField(
                    choices=[
                        ("open", "Open"),
                        ("submitted", "Waiting for review"),
                        ("first_reading", "Being read"),
                        ("second_reading", "Waiting for a second reading"),
                        ("arbitration", "Waiting for arbitration"),
                        ("signed", "Signed"),
                        ("returned", "Returned"),
                        ("cancelled", "Cancelled"),
                        ("entered_in_error", "Result entered in error, waiting for review"),
                    ],
                    default="open",
                    max_length=16,
                    verbose_name="status",
                ),
            ),
            (
                "opened_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
            (
                "right_eye_not_photographed_reason",
                models.CharField(
                    blank=True, default="", max_length=200, verbose_name="right eye not photographed: reason"
                ),
            ),
            (
                "left_eye_not_photographed_reason",
                models.CharField(
                    blank=True, default="", max_length=200, verbose_name="left eye not photographed: reason"
                ),
            ),
            (
                "right_eye_unobtainable",
                models.CharField(
                    blank=True,
                    choices=[
                        ("cataract", "Cataract or another opacity"),
                        ("small_pupil", "Small pupil"),
                        ("no_cooperation", "The patient cannot cooperate"),
                        ("other", "Another reason"),
                    ],
                    default="",
                    max_length=16,
                    verbose_name="right eye not obtainable: why",
                ),
            ),
            (
                "left_eye_unobtainable",
                models.CharField(
                    blank=True,
                    choices=[
                        ("cataract", "Cataract or another opacity"),
                        ("small_pupil", "Small pupil"),
                        ("no_cooperation", "The patient cannot cooperate"),
                        ("other", "Another reason"),
                    ],
                    default="",
                    max_length=16,
                    verbose_name="left eye not obtainable: why",
                ),
            ),
            (
                "right_eye_unobtainable_reason",
                models.CharField(
                    blank=True, default="", max_length=200, verbose_name="right eye not obtainable: in words"
                ),
            ),
            (
                "left_eye_unobtainable_reason",
                models.CharField(
                    blank=True, default="", max_length=200, verbose_name="left eye not obtainable: in words"
                ),
            ),
            (
                "returned_at",
                models.DateTimeField(blank=True, null=True, verbose_name="returned to the photographer at"),
            ),
            (
                "returned_reason",
                models.CharField(blank=True, default="", max_length=300, verbose_name="returned: reason"),
            ),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
            (
                "reading_urgency",
                models.CharField(
                    choices=[("routine", "Routine"), ("soon", "Soon"), ("immediate", "Immediately")],
                    default="routine",
                    max_length=12,
                    verbose_name="how soon it should be read",
                ),
            ),
            ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due at")),
            ("worklist_band", models.PositiveSmallIntegerField(default=3, verbose_name="worklist band")),
            (
                "quality",
                models.CharField(
                    choices=[
                        ("ungraded", "Not gradable or failed"),
                        ("pending", "Being graded"),
                        ("limited", "Usable with limits"),
                        ("good", "Good"),
                    ],
                    default="ungraded",
                    max_length=12,
                    verbose_name="quality of the photographs",
                ),
            ),
            ("worklist_rank", models.PositiveSmallIntegerField(default=2, verbose_name="worklist rank")),
            (
                "is_oedema_suspected",
                models.BooleanField(default=False, verbose_name="suspicion of macular oedema by the model"),
            ),
            (
                "worst_grade",
                models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="worst grade by the model"),
            ),
            (
                "max_p_referable",
                models.FloatField(blank=True, null=True, verbose_name="largest probability of a referable eye"),
            ),
        ],
        options={
            "verbose_name": "exam",
            "verbose_name_plural": "exams",
            "ordering": ["-created_at", "id"],
            "indexes": [
                models.Index(fields=["site", "status", "due_at"], name="exam_by_due_time"),
                models.Index(
                    condition=models.Q(
                        (
                            "status__in",
                            ["arbitration", "entered_in_error", "first_reading", "second_reading", "submitted"],
                        )
                    ),
                    fields=["worklist_band", "due_at", "created_at", "id"],
                    name="exam_by_band",
                ),
                models.Index(
                    condition=models.Q(
                        (
                            "status__in",
                            ["arbitration", "entered_in_error", "first_reading", "second_reading", "submitted"],
                        )
                    ),
                    fields=["due_at", "created_at", "id"],
                    name="exam_by_due",
                ),
                models.Index(
                    condition=models.Q(
                        (
                            "status__in",
                            ["arbitration", "entered_in_error", "first_reading", "second_reading", "submitted"],
                        )
                    ),
                    fields=["submitted_at", "id"],
                    name="exam_by_submission",
                ),
                models.Index(
                    condition=models.Q(("status__in", ["open", "returned"])),
                    fields=["-created_at", "id"],
                    name="exam_open",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "status__in",
                            [
                                "open",
                                "submitted",
                                "first_reading",
                                "second_reading",
                                "arbitration",
                                "signed",
                                "returned",
                                "cancelled",
                                "entered_in_error",
                            ],
                        )
                    ),
                    name="exam_status_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("status__in", ["cancelled", "open", "returned"]),
                        ("submitted_at__isnull", False),
                        _connector="OR",
                    ),
                    name="exam_submitted_has_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("right_eye_unobtainable", ""), ("right_eye_unobtainable_reason", "")),
                        ("right_eye_unobtainable__in", ["cataract", "small_pupil", "no_cooperation"]),
                        models.Q(
                            ("right_eye_unobtainable", "other"),
                            models.Q(("right_eye_unobtainable_reason", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="exam_right_eye_unobtainable_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("left_eye_unobtainable", ""), ("left_eye_unobtainable_reason", "")),
                        ("left_eye_unobtainable__in", ["cataract", "small_pupil", "no_cooperation"]),
                        models.Q(
                            ("left_eye_unobtainable", "other"),
                            models.Q(("left_eye_unobtainable_reason", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="exam_left_eye_unobtainable_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("worklist_rank__in", [0, 1, 2, 3, 4, 5])), name="exam_rank_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("status__in", ["cancelled", "open", "returned"]), ("due_at__isnull", False), _connector="OR"
                    ),
                    name="exam_submitted_has_due_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "returned"), _negated=True), ("returned_at__isnull", False), _connector="OR"
                    ),
                    name="exam_returned_has_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(("worklist_band__in", [0, 1, 2, 3, 4, 5, 6, 7])), name="exam_band_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("quality__in", ["ungraded", "pending", "limited", "good"])),
                    name="exam_quality_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("reading_urgency__in", ["routine", "soon", "immediate"])),
                    name="exam_reading_urgency_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ExamLock",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "exam",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="lock", to="screening.exam"
                ),
            ),
            (
                "holder",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="exam_locks", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("taken_at", models.DateTimeField(verbose_name="taken at")),
            ("active_at", models.DateTimeField(verbose_name="last activity at")),
            ("expires_at", models.DateTimeField(verbose_name="ends at")),
        ],
        options={
            "verbose_name": "lock of an exam",
            "verbose_name_plural": "locks of exams",
            "ordering": ["-taken_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("active_at__lte", models.F("expires_at")), ("taken_at__lte", models.F("active_at"))
                    ),
                    name="exam_lock_times_in_order",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="VisitFacts",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "exam",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="visit_facts", to="screening.exam"
                ),
            ),
            ("hba1c", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True, verbose_name="HbA1c")),
            (
                "hba1c_unit",
                models.CharField(
                    blank=True,
                    choices=[("percent", "%"), ("mmol_mol", "mmol/mol")],
                    default="",
                    max_length=8,
                    verbose_name="unit of HbA1c",
                ),
            ),
            (
                "hba1c_mmol_mol",
                models.DecimalField(
                    blank=True, decimal_places=1, max_digits=4, null=True, verbose_name="HbA1c (mmol/mol)"
                ),
            ),
            ("hba1c_on", models.DateField(blank=True, null=True, verbose_name="HbA1c measured on")),
            (
                "treatment",
                models.CharField(
                    blank=True,
                    choices=[
                        ("diet", "No medicine"),
                        ("no_insulin", "Tablets or injections, no insulin"),
                        ("insulin", "Insulin, alone or with others"),
                    ],
                    default="",
                    max_length=10,
                    verbose_name="treatment of diabetes",
                ),
            ),
            ("is_pregnant", models.BooleanField(blank=True, null=True, verbose_name="pregnant")),
            (
                "right_eye_treatments",
                models.JSONField(blank=True, null=True, verbose_name="right eye: previous treatments"),
            ),
            (
                "left_eye_treatments",
                models.JSONField(blank=True, null=True, verbose_name="left eye: previous treatments"),
            ),
            (
                "consent",
                models.CharField(
                    blank=True,
                    choices=[("given", "Given"), ("refused", "Refused")],
                    default="",
                    max_length=8,
                    verbose_name="consent",
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("recorded_at", models.DateTimeField(auto_now=True, verbose_name="recorded at")),
        ],
        options={
            "verbose_name": "facts of a visit",
            "verbose_name_plural": "facts of visits",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("hba1c__isnull", True),
                            ("hba1c_mmol_mol__isnull", True),
                            ("hba1c_on__isnull", True),
                            ("hba1c_unit", ""),
                        ),
                        models.Q(
                            ("hba1c__isnull", False),
                            ("hba1c_mmol_mol__range", (9, 196)),
                            ("hba1c_unit__in", ["percent", "mmol_mol"]),
                        ),
                        _connector="OR",
                    ),
                    name="facts_hba1c_has_unit",
                ),
                models.CheckConstraint(
                    condition=models.Q(("treatment__in", ["", "diet", "no_insulin", "insulin"])),
                    name="facts_treatment_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("consent__in", ["", "given", "refused"])), name="facts_consent_known"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="VisualAcuity",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "exam",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="acuities", to="screening.exam"
                ),
            ),
            (
                "laterality",
                models.CharField(
                    choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                ),
            ),
            ("entered", models.CharField(max_length=20, verbose_name="visual acuity as entered")),
            ("logmar", models.DecimalField(decimal_places=2, max_digits=3, verbose_name="logMAR")),
            (
                "correction",
                models.CharField(
                    blank=True,
                    choices=[
                        ("unaided", "without glasses"),
                        ("glasses", "with glasses or contact lenses"),
                        ("pinhole", "with pinhole"),
                    ],
                    default="",
                    max_length=10,
                    verbose_name="correction",
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "visual acuity",
            "verbose_name_plural": "visual acuities",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["exam", "laterality", "-created_at"], name="acuity_newest")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("laterality__in", ["OD", "OS"])), name="acuity_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("logmar__gte", -0.3), ("logmar__lte", 3)), name="acuity_in_range"
                ),
                models.CheckConstraint(
                    condition=models.Q(("correction__in", ["", "unaided", "glasses", "pinhole"])),
                    name="acuity_correction_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Booking",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="bookings", to="screening.site"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="bookings", to="screening.patient"
                ),
            ),
            ("day", models.DateField(verbose_name="day")),
            ("time", models.TimeField(blank=True, null=True, verbose_name="time")),
            ("location", models.CharField(blank=True, default="", max_length=80, verbose_name="place")),
            (
                "status",
                models.CharField(
                    choices=[
                        ("booked", "Booked"),
                        ("attended", "Attended"),
                        ("did_not_attend", "Did not attend"),
                        ("cancelled", "Cancelled"),
                    ],
                    default="booked",
                    max_length=16,
                    verbose_name="status",
                ),
            ),
            (
                "exam",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="bookings",
                    to="screening.exam",
                ),
            ),
            (
                "moved_from",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.patient",
                    verbose_name="moved from",
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="recorded by",
                ),
            ),
        ],
        options={
            "verbose_name": "booking",
            "verbose_name_plural": "bookings",
            "ordering": ["day", "time", "id"],
            "indexes": [
                models.Index(fields=["site", "day", "time", "id"], name="bookings_of_day"),
                models.Index(condition=models.Q(("status", "booked")), fields=["status", "day"], name="booking_open"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("status", "cancelled"), _negated=True),
                    fields=("patient", "day"),
                    name="booking_one_a_day",
                ),
                models.CheckConstraint(
                    condition=models.Q(("status__in", ["booked", "attended", "did_not_attend", "cancelled"])),
                    name="booking_status_known",
                ),
            ],
        },
    ),
]
