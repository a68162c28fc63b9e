"""Add the model that grades the exams of a site, and the one of each grading."""

from typing import Any

from django.db import migrations, models

CHOICES = [
    ("accurate", "Accurate: grades better, takes about six times as long"),
    ("fast", "Fast: for many photographs and small machines"),
]


def name_models(apps: Any, _editor: Any) -> None:
    """Released bundles of the accurate model are called teacher, those of the fast model student."""
    gradings = apps.get_model("screening", "Grading").objects
    gradings.filter(model_version__startswith="teacher-").update(model="accurate")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0015_failed_logins"),
    ]

    operations = [
        migrations.AddField(
            model_name="grading",
            name="model",
            field=models.CharField(choices=CHOICES, default="fast", max_length=8, verbose_name="model"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="site",
            name="model",
            field=models.CharField(
                choices=CHOICES,
                default="accurate",
                help_text="Photographs that are graded already keep their results.",
                max_length=8,
                verbose_name="model that grades exams",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(("model__in", ["accurate", "fast"])), name="grading_model_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(("model__in", ["accurate", "fast"])), name="site_model_known"
            ),
        ),
        migrations.RunPython(name_models, migrations.RunPython.noop),
    ]
