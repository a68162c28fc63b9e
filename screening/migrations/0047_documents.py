"""Documents as PDF, which do not change once they are made, and letterheads, which never change, by triggers."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import screening.models.documents
from screening.append_only import AppendOnlyTriggers


class _Triggers:
    """Those of both tables: a document may change until it is made."""

    letterheads = AppendOnlyTriggers(("screening_letterhead",), "screening_refuse_letterhead_change")
    documents = AppendOnlyTriggers(
        ("screening_document",), "screening_refuse_document_change", when="OLD.status = 'done'"
    )

    def create(self, apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
        self.letterheads.create(apps, schema_editor)
        self.documents.create(apps, schema_editor)

    def drop(self, apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
        self.letterheads.drop(apps, schema_editor)
        self.documents.drop(apps, schema_editor)


TRIGGERS = _Triggers()


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0046_imports"),
    ]

    operations = [
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
                ("name", models.CharField(max_length=120, verbose_name="name of the institution")),
                ("address", models.TextField(blank=True, default="", max_length=492, verbose_name="address")),
                ("logo", models.BinaryField(blank=True, default=b"", verbose_name="logo")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="letterheads", to="screening.site"
                    ),
                ),
            ],
            options={
                "verbose_name": "letterhead",
                "verbose_name_plural": "letterheads",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "kind",
                    models.CharField(
                        choices=[("clinical_report", "Clinical report")], max_length=20, verbose_name="kind"
                    ),
                ),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("has_heatmaps", models.BooleanField(default=False, verbose_name="with heatmaps")),
                ("data_sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the data")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Being made"),
                            ("done", "Made"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "failure_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            (
                                "engine_unavailable",
                                "Documents cannot be made on this server, because Pango is not installed. Ask the administrator to install it, then make the document again.",
                            ),
                            (
                                "letters_missing",
                                "No font of this server has some of the letters. Ask the administrator to install fonts for the scripts of your patients, then make the document again.",
                            ),
                            (
                                "photo_missing",
                                "The file of a photograph could not be read. Tell the administrator, then make the document again.",
                            ),
                            ("data_changed", "The record was changed while the document was made. Make it again."),
                            (
                                "storage_unavailable",
                                "The document could not be stored. Make it again in a few minutes.",
                            ),
                            ("time_limit", "The document took too long. Make it again."),
                            ("worker_lost", "The work on the document was interrupted. Make it again."),
                            (
                                "unexpected",
                                "The document could not be made. Make it again; if it happens again, tell your administrator.",
                            ),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="failure code",
                    ),
                ),
                ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("queued_at", models.DateTimeField(verbose_name="queued at")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="sent to the workers at")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                (
                    "file",
                    models.FileField(
                        blank=True,
                        default="",
                        upload_to=screening.models.documents.random_document_name,
                        verbose_name="file",
                    ),
                ),
                ("sha256", models.CharField(blank=True, default="", max_length=64, verbose_name="SHA-256 of the file")),
                ("n_bytes", models.PositiveIntegerField(blank=True, null=True, verbose_name="size (bytes)")),
                (
                    "exam",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="screening.exam",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="screening.patient"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="screening.review",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="screening.site"
                    ),
                ),
                (
                    "letterhead",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="screening.letterhead",
                    ),
                ),
            ],
            options={
                "verbose_name": "document",
                "verbose_name_plural": "documents",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="letterhead",
            index=models.Index(fields=["site", "-created_at"], name="letterhead_newest"),
        ),
        migrations.AddConstraint(
            model_name="letterhead",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="letterhead_has_name"
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["status", "queued_at"], name="document_by_status"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["exam", "-created_at"], name="document_of_exam"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["clinical_report"])), name="document_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "running", "done", "failed"])),
                name="document_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "clinical_report"), _negated=True),
                    models.Q(("exam__isnull", False), ("review__isnull", False)),
                    _connector="OR",
                ),
                name="document_report_has_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("failure_code", ""),
                        ("n_bytes__isnull", False),
                        ("status", "done"),
                        models.Q(("file", ""), _negated=True),
                        models.Q(("sha256", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "done"), _negated=True),
                        ("file", ""),
                        ("n_bytes__isnull", True),
                        ("sha256", ""),
                    ),
                    _connector="OR",
                ),
                name="document_done_has_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "failure_code__in",
                            [
                                "engine_unavailable",
                                "letters_missing",
                                "photo_missing",
                                "data_changed",
                                "storage_unavailable",
                                "time_limit",
                                "worker_lost",
                                "unexpected",
                            ],
                        ),
                        ("status", "failed"),
                    ),
                    models.Q(models.Q(("status", "failed"), _negated=True), ("failure_code", "")),
                    _connector="OR",
                ),
                name="document_failed_has_code",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
