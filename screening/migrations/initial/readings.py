"""Readings, signed reviews, marks, repeats and corrections."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
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
            ("lesions", models.JSONField(blank=True, default=dict, verbose_name="lesions")),
            ("other_disease", models.CharField(blank=True, default="", max_length=200, verbose_name="other disease")),
            (
                "ungradable_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("cataract", "Cataract or other opacity"),
                        ("small_pupil", "Small pupil"),
                        ("focus", "Out of focus"),
                        ("artefact", "Reflection, eyelash or dirt"),
                        ("field", "Wrong field of view"),
                        ("other", "Other reason"),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="why ungradable",
                ),
            ),
            (
                "retinopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
                ),
            ),
            (
                "maculopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
                ),
            ),
            (
                "photocoagulation",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
                ),
            ),
            (
                "contradiction_reason",
                models.CharField(
                    blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
                ),
            ),
            ("landmarks", models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea")),
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
                        ("suspected", "Suspected"),
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
                "not_blind_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("site_shows_result", "the site shows the model's result with the photographs"),
                        ("earlier_reading", "the reader had seen the model's result in an earlier reading"),
                        ("other_role", "the reader had seen the model's result in another role"),
                        ("predicted", "the reader had the photograph graded before"),
                        ("same_picture", "the reader had seen the model's result for the same picture in another exam"),
                        ("same_person", "the reader had seen the model's result of another exam of this person"),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="not blind",
                ),
            ),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
        ],
        options={
            "verbose_name": "first reading",
            "verbose_name_plural": "first readings",
            "ordering": ["created_at", "id"],
            "constraints": [
                models.UniqueConstraint(
                    fields=("exam", "reviewer", "laterality", "reading_round"), name="first_reading_once"
                ),
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
                    condition=models.Q(
                        ("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])
                    ),
                    name="first_reading_oedema_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "not_blind_reason__in",
                            [
                                "",
                                "site_shows_result",
                                "earlier_reading",
                                "other_role",
                                "predicted",
                                "same_picture",
                                "same_person",
                            ],
                        )
                    ),
                    name="first_reading_not_blind_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Reading",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="screening.exam"
                ),
            ),
            (
                "reader",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "stage",
                models.CharField(
                    choices=[
                        ("first", "First reading"),
                        ("second", "Second reading"),
                        ("arbitration", "Arbitration"),
                        ("repeat", "Repeat"),
                    ],
                    max_length=12,
                    verbose_name="stage",
                ),
            ),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
            ("signed_at", models.DateTimeField(verbose_name="signed at")),
            (
                "scale",
                models.CharField(
                    choices=[
                        ("icdr", "ICDR, five grades"),
                        ("england", "England, features-based (R0 to R3A)"),
                        ("scotland", "Scotland (R0 to R4)"),
                    ],
                    default="icdr",
                    max_length=8,
                    verbose_name="grading scale",
                ),
            ),
            (
                "protocol",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="readings",
                    to="screening.siteprotocol",
                ),
            ),
            ("note", models.TextField(blank=True, default="", max_length=2000, verbose_name="note")),
            ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason of the decision")),
            (
                "taken_over",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.reading",
                ),
            ),
        ],
        options={
            "verbose_name": "reading",
            "verbose_name_plural": "readings",
            "ordering": ["signed_at", "id"],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("stage", "repeat"), _negated=True),
                    fields=("exam", "reading_round", "stage"),
                    name="reading_stage_once",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("stage", "repeat"), _negated=True),
                    fields=("exam", "reading_round", "reader"),
                    name="reading_once_a_person",
                ),
                models.CheckConstraint(
                    condition=models.Q(("stage__in", ["first", "second", "arbitration", "repeat"])),
                    name="reading_stage_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="reading_scale_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("stage", "arbitration"), models.Q(("reason", ""), _negated=True)),
                        models.Q(models.Q(("stage", "arbitration"), _negated=True), ("reason", "")),
                        _connector="OR",
                    ),
                    name="reading_reason_of_arbitration",
                ),
                models.CheckConstraint(
                    condition=models.Q(("taken_over__isnull", True), ("stage", "arbitration"), _connector="OR"),
                    name="reading_taken_over_by_arbitration",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("stage", "first"), _negated=True), ("protocol__isnull", False), _connector="OR"
                    ),
                    name="reading_first_by_protocol",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ReadingEye",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            ("lesions", models.JSONField(blank=True, default=dict, verbose_name="lesions")),
            ("other_disease", models.CharField(blank=True, default="", max_length=200, verbose_name="other disease")),
            (
                "ungradable_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("cataract", "Cataract or other opacity"),
                        ("small_pupil", "Small pupil"),
                        ("focus", "Out of focus"),
                        ("artefact", "Reflection, eyelash or dirt"),
                        ("field", "Wrong field of view"),
                        ("other", "Other reason"),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="why ungradable",
                ),
            ),
            (
                "retinopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
                ),
            ),
            (
                "maculopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
                ),
            ),
            (
                "photocoagulation",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
                ),
            ),
            (
                "contradiction_reason",
                models.CharField(
                    blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
                ),
            ),
            ("landmarks", models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea")),
            (
                "reading",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="eyes", to="screening.reading"
                ),
            ),
            (
                "laterality",
                models.CharField(
                    choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                ),
            ),
            ("is_absent", models.BooleanField(default=False, verbose_name="eye is absent")),
            (
                "absent_reason",
                models.CharField(blank=True, default="", max_length=200, verbose_name="eye absent: reason"),
            ),
            ("is_photographed", models.BooleanField(default=True, verbose_name="has a photograph")),
            ("is_gradable", models.BooleanField(verbose_name="is gradable")),
            ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
            (
                "macular_oedema",
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
                    verbose_name="macular oedema",
                ),
            ),
            (
                "changed_reason",
                models.CharField(blank=True, default="", max_length=300, verbose_name="why changed after the reveal"),
            ),
            ("acuity", models.CharField(blank=True, default="", max_length=20, verbose_name="visual acuity")),
        ],
        options={
            "verbose_name": "eye of a reading",
            "verbose_name_plural": "eyes of readings",
            "ordering": ["laterality", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("reading", "laterality"), name="reading_eye_once"),
                models.CheckConstraint(
                    condition=models.Q(("laterality__in", ["OD", "OS"])), name="reading_eye_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("grade__isnull", False),
                            ("grade__lte", 4),
                            ("is_absent", False),
                            ("is_gradable", True),
                            ("is_photographed", True),
                        ),
                        models.Q(("grade__isnull", True), ("is_gradable", False)),
                        _connector="OR",
                    ),
                    name="reading_eye_grade_only_if_gradable",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])
                    ),
                    name="reading_eye_oedema_known",
                ),
            ],
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
                "amend_reason",
                models.CharField(blank=True, default="", max_length=300, verbose_name="reason of the amendment"),
            ),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
            (
                "scale",
                models.CharField(
                    choices=[
                        ("icdr", "ICDR, five grades"),
                        ("england", "England, features-based (R0 to R3A)"),
                        ("scotland", "Scotland (R0 to R4)"),
                    ],
                    default="icdr",
                    max_length=8,
                    verbose_name="grading scale",
                ),
            ),
            (
                "outcome_table",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="reviews",
                    to="screening.siteoutcometable",
                    verbose_name="outcome table",
                ),
            ),
            (
                "built_in_version",
                models.PositiveSmallIntegerField(
                    blank=True, null=True, verbose_name="version of the built-in outcome table"
                ),
            ),
            ("outcome_rules", models.JSONField(blank=True, default=list, verbose_name="rules that set the outcome")),
        ],
        options={
            "verbose_name": "review",
            "verbose_name_plural": "reviews",
            "ordering": ["-signed_at", "id"],
            "indexes": [models.Index(fields=["-signed_at", "id"], name="reviews_newest_first")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("amends__isnull", True)),
                    fields=("exam", "reading_round"),
                    name="review_signed_once",
                ),
                models.UniqueConstraint(fields=("amends",), name="review_amended_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("amend_reason", ""), ("amends__isnull", True)),
                        models.Q(("amends__isnull", False), models.Q(("amend_reason", ""), _negated=True)),
                        _connector="OR",
                    ),
                    name="review_amended_with_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("outcome__in", ["rescreen", "repeat_imaging", "refer_slit_lamp", "refer", "refer_urgent"])
                    ),
                    name="review_outcome_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("urgency__in", ["routine", "soon", "immediate"])), name="review_urgency_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="review_scale_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("built_in_version__isnull", False), ("outcome_table__isnull", True)),
                        models.Q(("built_in_version__isnull", True), ("outcome_table__isnull", False)),
                        _connector="OR",
                    ),
                    name="review_has_one_outcome_table",
                ),
            ],
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
            ("lesions", models.JSONField(blank=True, default=dict, verbose_name="lesions")),
            ("other_disease", models.CharField(blank=True, default="", max_length=200, verbose_name="other disease")),
            (
                "ungradable_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("cataract", "Cataract or other opacity"),
                        ("small_pupil", "Small pupil"),
                        ("focus", "Out of focus"),
                        ("artefact", "Reflection, eyelash or dirt"),
                        ("field", "Wrong field of view"),
                        ("other", "Other reason"),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="why ungradable",
                ),
            ),
            (
                "retinopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
                ),
            ),
            (
                "maculopathy",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
                ),
            ),
            (
                "photocoagulation",
                models.CharField(
                    blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
                ),
            ),
            (
                "contradiction_reason",
                models.CharField(
                    blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
                ),
            ),
            ("landmarks", models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea")),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="screening.review"
                ),
            ),
            (
                "laterality",
                models.CharField(
                    choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                ),
            ),
            ("is_absent", models.BooleanField(default=False, verbose_name="eye is absent")),
            ("is_photographed", models.BooleanField(default=True, verbose_name="has a photograph")),
            ("is_gradable", models.BooleanField(verbose_name="is gradable")),
            ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
            (
                "macular_oedema",
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
                    verbose_name="macular oedema",
                ),
            ),
            (
                "changed_reason",
                models.CharField(blank=True, default="", max_length=300, verbose_name="why changed after the reveal"),
            ),
        ],
        options={
            "verbose_name": "eye finding",
            "verbose_name_plural": "eye findings",
            "ordering": ["laterality", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("review", "laterality"), name="finding_once_an_eye"),
                models.CheckConstraint(
                    condition=models.Q(("laterality__in", ["OD", "OS"])), name="finding_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("grade__isnull", False), ("grade__lte", 4), ("is_absent", False), ("is_gradable", True)
                        ),
                        models.Q(("grade__isnull", True), ("is_gradable", False)),
                        _connector="OR",
                    ),
                    name="finding_grade_only_if_gradable",
                ),
                models.CheckConstraint(
                    condition=models.Q(("is_photographed", True), ("is_gradable", False), _connector="OR"),
                    name="finding_gradable_only_with_photograph",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])
                    ),
                    name="finding_oedema_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="LesionMark",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "image",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="marks", to="screening.fundusimage"
                ),
            ),
            (
                "first_reading",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="marks",
                    to="screening.firstreading",
                ),
            ),
            (
                "finding",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="marks",
                    to="screening.eyefinding",
                ),
            ),
            (
                "reading_eye",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="marks",
                    to="screening.readingeye",
                ),
            ),
            (
                "author",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("number", models.PositiveSmallIntegerField(verbose_name="number")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("microaneurysms", "Microaneurysm"),
                        ("haemorrhages", "Haemorrhage"),
                        ("blot_haemorrhages", "Blot haemorrhage"),
                        ("hard_exudates", "Hard exudate"),
                        ("cotton_wool_spots", "Cotton-wool spot"),
                        ("venous_beading_quadrants", "Venous beading"),
                        ("irma", "IRMA"),
                        ("new_vessels_disc", "New vessels at the disc"),
                        ("new_vessels_elsewhere", "New vessels elsewhere"),
                        ("preretinal_haemorrhage", "Pre-retinal or vitreous haemorrhage"),
                        ("fibrosis", "Fibrosis"),
                        ("detachment", "Traction detachment"),
                        ("laser_scars", "Laser scar"),
                        ("naevus", "Naevus"),
                        ("other_disease", "Other lesion"),
                    ],
                    max_length=30,
                    verbose_name="kind of the lesion",
                ),
            ),
            (
                "shape",
                models.CharField(
                    choices=[("point", "point"), ("circle", "circle"), ("outline", "outline")],
                    max_length=8,
                    verbose_name="shape",
                ),
            ),
            ("points", models.JSONField(verbose_name="points, fractions of width and height")),
            ("radius", models.FloatField(blank=True, null=True, verbose_name="radius, fraction of the width")),
        ],
        options={
            "verbose_name": "mark",
            "verbose_name_plural": "marks",
            "ordering": ["number", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("finding__isnull", False), ("first_reading__isnull", True), ("reading_eye__isnull", True)
                        ),
                        models.Q(
                            ("finding__isnull", True), ("first_reading__isnull", False), ("reading_eye__isnull", True)
                        ),
                        models.Q(
                            ("finding__isnull", True), ("first_reading__isnull", True), ("reading_eye__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="mark_of_one_reading_or_finding",
                ),
                models.UniqueConstraint(fields=("reading_eye", "number"), name="mark_number_once_a_reading_eye"),
                models.UniqueConstraint(fields=("first_reading", "number"), name="mark_number_once_a_reading"),
                models.UniqueConstraint(fields=("finding", "number"), name="mark_number_once_a_finding"),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "kind__in",
                            [
                                "microaneurysms",
                                "haemorrhages",
                                "blot_haemorrhages",
                                "hard_exudates",
                                "cotton_wool_spots",
                                "venous_beading_quadrants",
                                "irma",
                                "new_vessels_disc",
                                "new_vessels_elsewhere",
                                "preretinal_haemorrhage",
                                "fibrosis",
                                "detachment",
                                "laser_scars",
                                "naevus",
                                "other_disease",
                            ],
                        )
                    ),
                    name="mark_kind_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("shape__in", ["point", "circle", "outline"])), name="mark_shape_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("radius__gt", 0), ("radius__isnull", False), ("radius__lte", 0.5), ("shape", "circle")
                        ),
                        models.Q(("radius__isnull", True), ("shape__in", ["point", "outline"])),
                        _connector="OR",
                    ),
                    name="mark_radius_of_circles",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ReadingDraft",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="reading_drafts", to="screening.exam"
                ),
            ),
            (
                "reviewer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "base_review",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.review",
                ),
            ),
            ("entries", models.JSONField(default=dict, verbose_name="entries")),
            ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
            (
                "page_version",
                models.CharField(blank=True, default="", max_length=16, verbose_name="version of the page"),
            ),
            ("page_id", models.CharField(blank=True, default="", max_length=36, verbose_name="page that saved it")),
            ("updated_at", models.DateTimeField(db_index=True, verbose_name="changed at")),
        ],
        options={
            "verbose_name": "draft of a reading",
            "verbose_name_plural": "drafts of readings",
            "ordering": ["-updated_at", "id"],
            "constraints": [models.UniqueConstraint(fields=("exam", "reviewer"), name="draft_once_a_reviewer")],
        },
    ),
    migrations.CreateModel(
        name="Repeat",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to="screening.exam"
                ),
            ),
            ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to="screening.review"
                ),
            ),
            (
                "reader",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "protocol",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="repeats",
                    to="screening.siteprotocol",
                ),
            ),
            ("due_on", models.DateField(verbose_name="due on")),
            (
                "state",
                models.CharField(
                    choices=[("waiting", "Waiting"), ("taken", "Taken"), ("done", "Read"), ("dropped", "Dropped")],
                    default="waiting",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            (
                "dropped_reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("viewed", "The reader viewed the exam or the person meanwhile"),
                        ("result_changed", "The exam or its result changed"),
                        ("later_exam", "The person has a later exam"),
                        ("reader_left", "The reader does not read at this site any more"),
                        ("site_changed", "The site does not read blind first any more"),
                        ("too_late", "It was not read in time"),
                        ("given_up", "The reader released or returned the exam"),
                    ],
                    default="",
                    max_length=16,
                    verbose_name="why it was dropped",
                ),
            ),
            ("taken_at", models.DateTimeField(blank=True, null=True, verbose_name="taken at")),
            (
                "reading",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="repeat",
                    to="screening.reading",
                ),
            ),
        ],
        options={
            "verbose_name": "repeat",
            "verbose_name_plural": "repeats",
            "ordering": ["due_on", "id"],
            "indexes": [models.Index(fields=["reader", "state", "due_on"], name="repeat_by_reader")],
            "constraints": [
                models.UniqueConstraint(fields=("exam", "reading_round", "reader"), name="repeat_once"),
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["waiting", "taken", "done", "dropped"])),
                    name="repeat_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            (
                                "dropped_reason__in",
                                [
                                    "viewed",
                                    "result_changed",
                                    "later_exam",
                                    "reader_left",
                                    "site_changed",
                                    "too_late",
                                    "given_up",
                                ],
                            ),
                            ("state", "dropped"),
                        ),
                        models.Q(models.Q(("state", "dropped"), _negated=True), ("dropped_reason", "")),
                        _connector="OR",
                    ),
                    name="repeat_dropped_has_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("reading__isnull", False), ("state", "done")),
                        models.Q(models.Q(("state", "done"), _negated=True), ("reading__isnull", True)),
                        _connector="OR",
                    ),
                    name="repeat_done_has_reading",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("state__in", ["waiting", "dropped"]), ("taken_at__isnull", False), _connector="OR"
                    ),
                    name="repeat_taken_has_time",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Correction",
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
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.site"),
            ),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("exam_returned", "Exam returned to the photographer"),
                        ("exam_cancelled", "Exam cancelled"),
                        ("exam_moved", "Exam moved to another patient"),
                        ("image_moved", "Photograph moved to another patient"),
                        ("image_withdrawn", "Photograph withdrawn from a signed exam"),
                        ("review_in_error", "Result entered in error"),
                        ("patients_merged", "Patients merged"),
                        ("patients_unmerged", "Merged patients parted"),
                    ],
                    max_length=20,
                    verbose_name="kind",
                ),
            ),
            (
                "exam",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections",
                    to="screening.exam",
                ),
            ),
            (
                "to_exam",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections_to",
                    to="screening.exam",
                ),
            ),
            (
                "image",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections",
                    to="screening.fundusimage",
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections",
                    to="screening.review",
                ),
            ),
            (
                "from_patient",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections_from",
                    to="screening.patient",
                ),
            ),
            (
                "to_patient",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="corrections_to",
                    to="screening.patient",
                ),
            ),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            (
                "made_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "correction",
            "verbose_name_plural": "corrections",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="correction_has_reason"),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "kind__in",
                            [
                                "exam_returned",
                                "exam_cancelled",
                                "exam_moved",
                                "image_moved",
                                "image_withdrawn",
                                "review_in_error",
                                "patients_merged",
                                "patients_unmerged",
                            ],
                        )
                    ),
                    name="correction_kind_known",
                ),
            ],
        },
    ),
]
