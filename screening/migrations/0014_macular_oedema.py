"""Add the model's suspicion of macular oedema to gradings, and what follows for the worklist to exams."""

from typing import Any

from django.db import migrations, models


def copy_rank(apps: Any, _editor: Any) -> None:
    """No stored grading has oedema, so that both ranks of an exam are the same."""
    apps.get_model("screening", "Exam").objects.update(grade_rank=models.F("worklist_rank"))


def restore_rank(apps: Any, _editor: Any) -> None:
    """Without the column for oedema, the rank is that of the grades."""
    apps.get_model("screening", "Exam").objects.update(worklist_rank=models.F("grade_rank"))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0013_writing"),
    ]

    operations = [
        migrations.AddField(
            model_name="exam",
            name="grade_rank",
            field=models.PositiveSmallIntegerField(default=2, verbose_name="worklist rank without macular oedema"),
        ),
        migrations.AddField(
            model_name="exam",
            name="is_oedema_suspected",
            field=models.BooleanField(default=False, verbose_name="suspicion of macular oedema by the model"),
        ),
        migrations.AddField(
            model_name="grading",
            name="oedema_heatmap",
            field=models.JSONField(blank=True, null=True, verbose_name="heatmap of macular oedema"),
        ),
        migrations.AddField(
            model_name="grading",
            name="oedema_operating_point",
            field=models.FloatField(blank=True, null=True, verbose_name="operating point of macular oedema"),
        ),
        migrations.AddField(
            model_name="grading",
            name="p_macular_oedema",
            field=models.FloatField(blank=True, null=True, verbose_name="probability of referable macular oedema"),
        ),
        migrations.AddField(
            model_name="grading",
            name="suspects_oedema",
            field=models.BooleanField(blank=True, null=True, verbose_name="suspicion of macular oedema"),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("grade_rank__in", [0, 1, 2, 3, 4, 5])), name="exam_grade_rank_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("p_macular_oedema__isnull", True),
                    models.Q(("p_macular_oedema__gte", 0.0), ("p_macular_oedema__lte", 1.0)),
                    _connector="OR",
                ),
                name="grading_p_macular_oedema_is_fraction",
            ),
        ),
        migrations.RunPython(copy_rank, restore_rank),
    ]
