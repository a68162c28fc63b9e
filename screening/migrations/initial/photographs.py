"""Photographs, their uploads, hashes and gradings."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import screening.models.images

OPERATIONS = [
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
                "exam",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="images", to="screening.exam"
                ),
            ),
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
            ("captured_on", models.DateField(blank=True, null=True, verbose_name="date of the photograph")),
            (
                "captured_on_source",
                models.CharField(
                    blank=True,
                    choices=[
                        ("client", "entered at the upload"),
                        ("exif", "read from the file"),
                        ("upload", "day of the upload"),
                    ],
                    default="",
                    max_length=8,
                    verbose_name="date of the photograph: source",
                ),
            ),
            (
                "writing",
                models.CharField(
                    choices=[("none", "none found"), ("kept", "kept"), ("blanked", "blanked before storing")],
                    default="none",
                    max_length=8,
                    verbose_name="writing outside the retina",
                ),
            ),
            (
                "pupil",
                models.CharField(
                    blank=True,
                    choices=[("dilated", "Dilated"), ("undilated", "Not dilated")],
                    default="",
                    max_length=9,
                    verbose_name="pupil",
                ),
            ),
            ("is_synthetic", models.BooleanField(default=False, verbose_name="synthetic, not a patient")),
            (
                "copy_reason",
                models.CharField(
                    blank=True, default="", max_length=200, verbose_name="also in the exam of another patient: reason"
                ),
            ),
            (
                "uploaded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
            (
                "withdrawn_code",
                models.CharField(
                    blank=True,
                    choices=[
                        ("wrong_eye", "Wrong eye"),
                        ("wrong_patient", "Wrong patient"),
                        ("poor_quality", "Poor quality"),
                        ("other", "Another reason"),
                    ],
                    default="",
                    max_length=16,
                    verbose_name="withdrawn: why",
                ),
            ),
            (
                "withdrawn_reason",
                models.CharField(blank=True, default="", max_length=200, verbose_name="withdrawn: reason"),
            ),
        ],
        options={
            "verbose_name": "fundus image",
            "verbose_name_plural": "fundus images",
            "ordering": ["laterality", "created_at", "id"],
            "indexes": [models.Index(fields=["sha256"], name="image_by_sha256")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("withdrawn_at__isnull", True)),
                    fields=("exam", "sha256"),
                    name="image_once_an_exam",
                ),
                models.CheckConstraint(
                    condition=models.Q(("laterality__in", ["OD", "OS"])), name="image_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("field__in", ["macula", "disc", "other"])), name="image_field_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("writing__in", ["none", "kept", "blanked"])), name="image_writing_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("pupil__in", ["", "dilated", "undilated"])), name="image_pupil_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("height_px__gte", 1), ("n_bytes__gte", 1), ("width_px__gte", 1)),
                    name="image_has_size",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("withdrawn_at__isnull", True), ("withdrawn_code", ""), ("withdrawn_reason", "")),
                        models.Q(
                            ("withdrawn_at__isnull", False),
                            ("withdrawn_code__in", ["wrong_eye", "wrong_patient", "poor_quality"]),
                        ),
                        models.Q(
                            ("withdrawn_at__isnull", False),
                            ("withdrawn_code", "other"),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="image_withdrawn_with_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("captured_on__isnull", True), ("captured_on_source", "")),
                        models.Q(
                            ("captured_on__isnull", False), ("captured_on_source__in", ["client", "exif", "upload"])
                        ),
                        _connector="OR",
                    ),
                    name="image_capture_date_has_source",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="PhotoUpload",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="uploads", to="screening.exam"
                ),
            ),
            (
                "owner",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("n_bytes", models.PositiveIntegerField(verbose_name="size (bytes)")),
            ("n_received", models.PositiveIntegerField(default=0, verbose_name="received (bytes)")),
            ("segments", models.JSONField(default=list, verbose_name="files of its parts")),
            (
                "laterality",
                models.CharField(
                    blank=True,
                    choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")],
                    default="",
                    max_length=2,
                    verbose_name="eye",
                ),
            ),
            (
                "field",
                models.CharField(
                    blank=True,
                    choices=[("macula", "Macula-centred"), ("disc", "Disc-centred"), ("other", "Other field")],
                    default="",
                    max_length=10,
                    verbose_name="field",
                ),
            ),
            ("expires_at", models.DateTimeField(db_index=True, verbose_name="expires at")),
        ],
        options={
            "verbose_name": "upload",
            "verbose_name_plural": "uploads",
            "ordering": ["created_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("n_bytes__gte", 1), ("n_received__lte", models.F("n_bytes"))),
                    name="upload_received_in_size",
                ),
                models.CheckConstraint(
                    condition=models.Q(("laterality__in", ["", "OD", "OS"])), name="upload_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("field__in", ["", "macula", "disc", "other"])), name="upload_field_known"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="PerceptualHash",
        fields=[
            (
                "image",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE,
                    primary_key=True,
                    related_name="perceptual_hash",
                    serialize=False,
                    to="screening.fundusimage",
                ),
            ),
            ("bits", models.BinaryField(verbose_name="perceptual hash")),
            ("crop", models.BinaryField(verbose_name="small crop of the field of view")),
        ],
        options={
            "verbose_name": "perceptual hash",
            "verbose_name_plural": "perceptual hashes",
        },
    ),
    migrations.CreateModel(
        name="PerceptualHashBand",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "image",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to="screening.fundusimage"
                ),
            ),
            (
                "site",
                models.ForeignKey(
                    db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="screening.site"
                ),
            ),
            ("value", models.PositiveIntegerField(verbose_name="band")),
        ],
        options={
            "verbose_name": "band of a perceptual hash",
            "verbose_name_plural": "bands of perceptual hashes",
            "indexes": [models.Index(fields=["site", "value", "image"], name="hash_band_by_site")],
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
            (
                "image",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="gradings", to="screening.fundusimage"
                ),
            ),
            (
                "model",
                models.CharField(
                    choices=[
                        ("accurate", "Accurate: grades better, takes about six times as long"),
                        ("fast", "Fast: for many photographs and small machines"),
                    ],
                    max_length=8,
                    verbose_name="model",
                ),
            ),
            ("model_version", models.CharField(max_length=80, verbose_name="model version")),
            (
                "status",
                models.CharField(
                    choices=[("queued", "Waiting"), ("running", "Grading"), ("done", "Graded"), ("failed", "Failed")],
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
                "quality_level",
                models.CharField(
                    blank=True,
                    choices=[("good", "Good"), ("usable", "Usable with limits"), ("ungradable", "Not gradable")],
                    default="",
                    max_length=12,
                    verbose_name="quality",
                ),
            ),
            ("p_gradable", models.FloatField(blank=True, null=True, verbose_name="probability that it is gradable")),
            ("quality_reasons", models.JSONField(blank=True, default=list, verbose_name="quality reasons")),
            ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
            ("probabilities", models.JSONField(blank=True, null=True, verbose_name="probabilities of grades 0 to 4")),
            ("p_referable", models.FloatField(blank=True, null=True, verbose_name="probability that it is referable")),
            ("is_referable", models.BooleanField(blank=True, null=True, verbose_name="is referable")),
            ("operating_point", models.FloatField(blank=True, null=True, verbose_name="operating point")),
            (
                "threshold",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="gradings",
                    to="screening.sitethreshold",
                    verbose_name="threshold of the site",
                ),
            ),
            ("heatmap", models.JSONField(blank=True, null=True, verbose_name="heatmap")),
            (
                "heatmap_box",
                models.JSONField(blank=True, null=True, verbose_name="box of the heatmap on the photograph"),
            ),
            (
                "p_macular_oedema",
                models.FloatField(blank=True, null=True, verbose_name="probability of referable macular oedema"),
            ),
            ("suspects_oedema", models.BooleanField(blank=True, null=True, verbose_name="suspicion of macular oedema")),
            (
                "oedema_operating_point",
                models.FloatField(blank=True, null=True, verbose_name="operating point of macular oedema"),
            ),
            ("oedema_heatmap", models.JSONField(blank=True, null=True, verbose_name="heatmap of macular oedema")),
            (
                "laterality_suggested",
                models.CharField(
                    blank=True,
                    choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")],
                    default="",
                    max_length=2,
                    verbose_name="eye that the photograph shows",
                ),
            ),
            (
                "laterality_confidence",
                models.FloatField(blank=True, null=True, verbose_name="probability of the likelier eye"),
            ),
        ],
        options={
            "verbose_name": "grading",
            "verbose_name_plural": "gradings",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["status", "queued_at"], name="grading_by_status")],
            "constraints": [
                models.UniqueConstraint(fields=("image", "model_version"), name="grading_once_a_version"),
                models.CheckConstraint(
                    condition=models.Q(("model__in", ["accurate", "fast"])), name="grading_model_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(("status__in", ["queued", "running", "done", "failed"])),
                    name="grading_status_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("grade__isnull", True), ("p_referable__isnull", True), ("probabilities__isnull", True)
                        ),
                        models.Q(("is_gradable", True), ("status", "done")),
                        _connector="OR",
                    ),
                    name="grading_grade_only_if_gradable",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "done"), _negated=True),
                        models.Q(
                            ("is_gradable", False), ("p_gradable__isnull", False), ("quality_level", "ungradable")
                        ),
                        models.Q(
                            ("grade__isnull", False),
                            ("is_gradable", True),
                            ("is_referable__isnull", False),
                            ("operating_point__isnull", False),
                            ("p_gradable__isnull", False),
                            ("p_referable__isnull", False),
                            ("probabilities__isnull", False),
                            ("quality_level__in", ["good", "usable"]),
                        ),
                        _connector="OR",
                    ),
                    name="grading_done_is_complete",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("oedema_heatmap__isnull", True),
                            ("p_macular_oedema__isnull", True),
                            ("suspects_oedema__isnull", True),
                            models.Q(
                                ("oedema_operating_point__isnull", True),
                                models.Q(
                                    ("is_gradable", True), ("oedema_operating_point__isnull", False), ("status", "done")
                                ),
                                _connector="OR",
                            ),
                        ),
                        models.Q(
                            ("is_gradable", True),
                            ("oedema_operating_point__isnull", False),
                            ("status", "done"),
                            ("p_macular_oedema__isnull", False),
                            ("suspects_oedema__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="grading_oedema_consistent",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("p_macular_oedema__isnull", True),
                        models.Q(("p_macular_oedema__gte", 0.0), ("p_macular_oedema__lte", 1.0)),
                        _connector="OR",
                    ),
                    name="grading_p_macular_oedema_is_fraction",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "failed"), _negated=True),
                        models.Q(("failure_code", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="grading_failed_says_why",
                ),
                models.CheckConstraint(
                    condition=models.Q(("grade__isnull", True), ("grade__lte", 4), _connector="OR"),
                    name="grading_grade_0_to_4",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("p_gradable__isnull", True),
                        models.Q(("p_gradable__gte", 0.0), ("p_gradable__lte", 1.0)),
                        _connector="OR",
                    ),
                    name="grading_p_gradable_is_fraction",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("p_referable__isnull", True),
                        models.Q(("p_referable__gte", 0.0), ("p_referable__lte", 1.0)),
                        _connector="OR",
                    ),
                    name="grading_p_referable_is_fraction",
                ),
                models.CheckConstraint(
                    condition=models.Q(("laterality_suggested__in", ["", "OD", "OS"])), name="grading_laterality_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("laterality_confidence__isnull", True),
                        models.Q(("laterality_confidence__gte", 0.0), ("laterality_confidence__lte", 1.0)),
                        _connector="OR",
                    ),
                    name="grading_laterality_confidence_is_fraction",
                ),
            ],
        },
    ),
]
