"""Imports of people and bookings."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
    migrations.CreateModel(
        name="DataImport",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="imports", to="screening.site"
                ),
            ),
            (
                "kind",
                models.CharField(
                    choices=[("people", "People"), ("bookings", "Bookings")], max_length=8, verbose_name="rows are"
                ),
            ),
            (
                "owner",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="begun by",
                ),
            ),
            (
                "applied_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="written by",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("reading", "The file is being read"),
                        ("asking", "A question about the dates"),
                        ("checking", "The rows are being checked"),
                        ("checked", "Checked, nothing is written yet"),
                        ("applying", "The rows are being written"),
                        ("applied", "Imported"),
                        ("cancelled", "Cancelled, nothing was written"),
                        ("refused", "Refused, nothing was written"),
                        ("expired", "Deleted without a decision, nothing was written"),
                    ],
                    default="reading",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("file", models.CharField(blank=True, default="", max_length=200)),
            ("rows_file", models.CharField(blank=True, default="", max_length=200)),
            ("n_bytes", models.PositiveIntegerField(verbose_name="size (bytes)")),
            ("columns", models.JSONField(default=list, verbose_name="columns")),
            ("notes", models.JSONField(default=dict, verbose_name="how the file was read")),
            (
                "date_order",
                models.CharField(
                    blank=True,
                    choices=[("", "not known"), ("day_first", "day, month, year"), ("month_first", "month, day, year")],
                    default="",
                    max_length=12,
                    verbose_name="order in dates",
                ),
            ),
            ("problem", models.CharField(blank=True, default="", max_length=24, verbose_name="why refused")),
            ("problem_values", models.JSONField(default=dict)),
            ("n_rows", models.PositiveIntegerField(default=0, verbose_name="rows")),
            ("n_checked", models.PositiveIntegerField(default=0, verbose_name="checked rows")),
            ("n_new", models.PositiveIntegerField(default=0, verbose_name="new")),
            ("n_changed", models.PositiveIntegerField(default=0, verbose_name="changed")),
            ("n_unchanged", models.PositiveIntegerField(default=0, verbose_name="unchanged")),
            ("n_question", models.PositiveIntegerField(default=0, verbose_name="with a question")),
            ("n_refused", models.PositiveIntegerField(default=0, verbose_name="refused")),
            ("n_left_out", models.PositiveIntegerField(default=0, verbose_name="left out")),
            ("offset_bytes", models.PositiveBigIntegerField(default=0)),
            ("basis_event", models.BigIntegerField(default=0)),
            ("is_checked_again", models.BooleanField(default=False)),
            ("n_tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries without progress")),
            ("worked_at", models.DateTimeField(auto_now_add=True, verbose_name="last worked on at")),
            ("expires_at", models.DateTimeField(db_index=True, verbose_name="data are deleted at")),
            ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
        ],
        options={
            "verbose_name": "import of a file",
            "verbose_name_plural": "imports of files",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "-created_at"], name="imports_of_site")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["reading", "asking", "checking", "checked", "applying"])),
                    fields=("site",),
                    name="import_one_at_a_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        (
                            "state__in",
                            [
                                "reading",
                                "asking",
                                "checking",
                                "checked",
                                "applying",
                                "applied",
                                "cancelled",
                                "refused",
                                "expired",
                            ],
                        )
                    ),
                    name="import_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("kind__in", ["people", "bookings"])), name="import_kind_known"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="StagedBooking",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("line", models.PositiveIntegerField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("new", "New"),
                        ("changed", "Changed"),
                        ("unchanged", "Unchanged"),
                        ("question", "Question"),
                        ("refused", "Refused"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "action",
                models.CharField(
                    choices=[("add", "add"), ("change", "change"), ("none", "nothing")], default="none", max_length=8
                ),
            ),
            ("answer", models.CharField(blank=True, default="", max_length=10)),
            ("target", models.UUIDField(default=uuid.uuid4)),
            ("subject", models.CharField(blank=True, default="", max_length=36)),
            ("mrn", models.CharField(blank=True, default="", max_length=100)),
            ("problems", models.JSONField(default=list)),
            ("changes", models.JSONField(default=list)),
            (
                "data_import",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="bookings",
                    to="screening.dataimport",
                ),
            ),
            ("person", models.UUIDField(null=True)),
            ("day", models.DateField(null=True)),
            ("time", models.TimeField(null=True)),
            ("location", models.CharField(blank=True, default="", max_length=80)),
            ("status", models.CharField(blank=True, default="", max_length=16)),
            ("is_missed", models.BooleanField(default=False)),
        ],
        options={
            "verbose_name": "staged booking",
            "verbose_name_plural": "staged bookings",
            "indexes": [
                models.Index(fields=["data_import", "state", "line"], name="staged_booking_by_state"),
                models.Index(fields=["data_import", "mrn", "day"], name="staged_booking_by_day"),
            ],
            "constraints": [models.UniqueConstraint(fields=("data_import", "line"), name="staged_booking_once")],
        },
    ),
    migrations.CreateModel(
        name="StagedPerson",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("line", models.PositiveIntegerField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("new", "New"),
                        ("changed", "Changed"),
                        ("unchanged", "Unchanged"),
                        ("question", "Question"),
                        ("refused", "Refused"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "action",
                models.CharField(
                    choices=[("add", "add"), ("change", "change"), ("none", "nothing")], default="none", max_length=8
                ),
            ),
            ("answer", models.CharField(blank=True, default="", max_length=10)),
            ("target", models.UUIDField(default=uuid.uuid4)),
            ("subject", models.CharField(blank=True, default="", max_length=36)),
            ("mrn", models.CharField(blank=True, default="", max_length=100)),
            ("problems", models.JSONField(default=list)),
            ("changes", models.JSONField(default=list)),
            (
                "data_import",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="people",
                    to="screening.dataimport",
                ),
            ),
            ("given_name", models.CharField(blank=True, default="", max_length=80)),
            ("family_name", models.CharField(blank=True, default="", max_length=80)),
            ("born_on", models.CharField(blank=True, default="", max_length=10)),
            ("sex", models.CharField(default="U", max_length=1)),
            ("diabetes_type", models.CharField(default="unknown", max_length=10)),
            ("diabetes_since_year", models.PositiveSmallIntegerField(null=True)),
            ("phone", models.CharField(blank=True, default="", max_length=40)),
            ("postal_address", models.TextField(blank=True, default="", max_length=492)),
            ("doctor_address", models.TextField(blank=True, default="", max_length=492)),
            ("folded_mrn", models.CharField(blank=True, default="", max_length=200)),
            ("folded_name", models.CharField(blank=True, default="", max_length=200)),
            ("name_key", models.CharField(blank=True, default="", max_length=200)),
        ],
        options={
            "verbose_name": "staged person",
            "verbose_name_plural": "staged people",
            "indexes": [
                models.Index(fields=["data_import", "state", "line"], name="staged_person_by_state"),
                models.Index(fields=["data_import", "folded_mrn"], name="staged_person_by_mrn"),
                models.Index(fields=["data_import", "name_key"], name="staged_person_by_name"),
            ],
            "constraints": [models.UniqueConstraint(fields=("data_import", "line"), name="staged_person_once")],
        },
    ),
    migrations.CreateModel(
        name="StagedTerm",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            (
                "person",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING, related_name="terms", to="screening.stagedperson"
                ),
            ),
            ("term", models.CharField(max_length=200)),
        ],
    ),
]
