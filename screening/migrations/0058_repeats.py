"""Repeats by a reader of the result: their table, their share and weeks in the reading protocol, their stage.

Stored versions of a protocol have no repeats. SQLite copies the tables, which lose their triggers: they are dropped and
created again. The way back is refused if a repeat was read.
"""

import uuid
from importlib import import_module

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

protocols = import_module("screening.migrations.0042_reading_protocols")
readings = import_module("screening.migrations.0049_readings")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0057_index_of_signing_times"),
    ]

    operations = [
        migrations.RunPython(protocols.TRIGGERS.drop, protocols.TRIGGERS.create),
        migrations.RunPython(readings.TRIGGERS.drop, readings.TRIGGERS.create),
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
                ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
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
            ],
            options={
                "verbose_name": "repeat",
                "verbose_name_plural": "repeats",
                "ordering": ["due_on", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_stage_once",
        ),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_once_a_person",
        ),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_stage_known",
        ),
        migrations.RemoveConstraint(
            model_name="siteprotocol",
            name="protocol_percent_in_range",
        ),
        migrations.AddField(
            model_name="siteprotocol",
            name="repeat_percent",
            field=models.PositiveSmallIntegerField(
                default=0,
                validators=[django.core.validators.MaxValueValidator(100)],
                verbose_name="signed exams that come back to their reader, in per cent",
            ),
        ),
        migrations.AlterField(
            model_name="siteprotocol",
            name="repeat_percent",
            field=models.PositiveSmallIntegerField(
                default=3,
                validators=[django.core.validators.MaxValueValidator(100)],
                verbose_name="signed exams that come back to their reader, in per cent",
            ),
        ),
        migrations.AddField(
            model_name="siteprotocol",
            name="repeat_weeks",
            field=models.PositiveSmallIntegerField(
                default=8,
                validators=[django.core.validators.MinValueValidator(4), django.core.validators.MaxValueValidator(26)],
                verbose_name="weeks until they come back",
            ),
        ),
        migrations.AlterField(
            model_name="reading",
            name="stage",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "repeat"), _negated=True),
                fields=("exam", "reading_round", "stage"),
                name="reading_stage_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "repeat"), _negated=True),
                fields=("exam", "reading_round", "reader"),
                name="reading_once_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["first", "second", "arbitration", "repeat"])),
                name="reading_stage_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("negative_percent__lte", 100), ("repeat_percent__lte", 100)),
                name="protocol_percent_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("repeat_weeks__gte", 4), ("repeat_weeks__lte", 26)), name="protocol_weeks_in_range"
            ),
        ),
        migrations.AddField(
            model_name="repeat",
            name="exam",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to="screening.exam"
            ),
        ),
        migrations.AddField(
            model_name="repeat",
            name="protocol",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repeats",
                to="screening.siteprotocol",
            ),
        ),
        migrations.AddField(
            model_name="repeat",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="repeat",
            name="reading",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repeat",
                to="screening.reading",
            ),
        ),
        migrations.AddField(
            model_name="repeat",
            name="review",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="repeats", to="screening.review"
            ),
        ),
        migrations.AddIndex(
            model_name="repeat",
            index=models.Index(fields=["reader", "state", "due_on"], name="repeat_by_reader"),
        ),
        migrations.AddConstraint(
            model_name="repeat",
            constraint=models.UniqueConstraint(fields=("exam", "reading_round", "reader"), name="repeat_once"),
        ),
        migrations.AddConstraint(
            model_name="repeat",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "taken", "done", "dropped"])), name="repeat_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="repeat",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="repeat",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reading__isnull", False), ("state", "done")),
                    models.Q(models.Q(("state", "done"), _negated=True), ("reading__isnull", True)),
                    _connector="OR",
                ),
                name="repeat_done_has_reading",
            ),
        ),
        migrations.AddConstraint(
            model_name="repeat",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "dropped"]), ("taken_at__isnull", False), _connector="OR"),
                name="repeat_taken_has_time",
            ),
        ),
        migrations.RunPython(readings.TRIGGERS.create, readings.TRIGGERS.drop),
        migrations.RunPython(protocols.TRIGGERS.create, protocols.TRIGGERS.drop),
    ]
