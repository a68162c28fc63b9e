"""Add facts of a visit, and those that a site requires."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0024_reading_layouts"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="required_facts",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Without one of them an exam is submitted only after a confirmation.",
                verbose_name="facts required of a visit",
            ),
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
                    "hba1c",
                    models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True, verbose_name="HbA1c"),
                ),
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
                ("recorded_at", models.DateTimeField(auto_now=True, verbose_name="recorded at")),
                (
                    "exam",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="visit_facts", to="screening.exam"
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
    ]
