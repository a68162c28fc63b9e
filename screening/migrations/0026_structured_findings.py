"""Structured findings, grading scales, visual acuity, and "suspected" macular oedema.

SQLite copies a table for new columns, which loses its triggers: they are dropped and created again.
"""

import uuid
from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

triggers = import_module("screening.migrations.0002_append_only_audit")


def restore_oedema(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The nearest answer that earlier versions know."""
    for name in ("EyeFinding", "FirstReading"):
        model = apps.get_model("screening", name)
        model.objects.filter(macular_oedema="suspected").update(macular_oedema="not_centre")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0025_visit_facts"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
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
            ],
            options={
                "verbose_name": "visual acuity",
                "verbose_name_plural": "visual acuities",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="eyefinding",
            name="finding_oedema_known",
        ),
        migrations.RemoveConstraint(
            model_name="firstreading",
            name="first_reading_oedema_known",
        ),
        migrations.RunPython(migrations.RunPython.noop, restore_oedema),
        migrations.AddField(
            model_name="eyefinding",
            name="contradiction_reason",
            field=models.CharField(
                blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
            ),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="lesions",
            field=models.JSONField(blank=True, default=dict, verbose_name="lesions"),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="maculopathy",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
            ),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="other_disease",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="other disease"),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="retinopathy",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
            ),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="ungradable_reason",
            field=models.CharField(
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
        migrations.AddField(
            model_name="firstreading",
            name="contradiction_reason",
            field=models.CharField(
                blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
            ),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="lesions",
            field=models.JSONField(blank=True, default=dict, verbose_name="lesions"),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="maculopathy",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
            ),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="other_disease",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="other disease"),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="retinopathy",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
            ),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="ungradable_reason",
            field=models.CharField(
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
        migrations.AddField(
            model_name="review",
            name="scale",
            field=models.CharField(
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
        migrations.AddField(
            model_name="site",
            name="scale",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="eyefinding",
            name="macular_oedema",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="firstreading",
            name="macular_oedema",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])),
                name="finding_oedema_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="firstreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])),
                name="first_reading_oedema_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="review_scale_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="site_scale_known"
            ),
        ),
        migrations.AddField(
            model_name="visualacuity",
            name="exam",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="acuities", to="screening.exam"
            ),
        ),
        migrations.AddField(
            model_name="visualacuity",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="visualacuity",
            index=models.Index(fields=["exam", "laterality", "-created_at"], name="acuity_newest"),
        ),
        migrations.AddConstraint(
            model_name="visualacuity",
            constraint=models.CheckConstraint(
                condition=models.Q(("laterality__in", ["OD", "OS"])), name="acuity_laterality_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="visualacuity",
            constraint=models.CheckConstraint(
                condition=models.Q(("logmar__gte", -0.3), ("logmar__lte", 3)), name="acuity_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="visualacuity",
            constraint=models.CheckConstraint(
                condition=models.Q(("correction__in", ["", "unaided", "glasses", "pinhole"])),
                name="acuity_correction_known",
            ),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
    ]
