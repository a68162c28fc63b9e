"""Add the quality level of a photograph, and the rank of negatives in which small lesions could be missed.

Photographs graded before count as usable with limits: their sharpness was not assessed. So rank 4 (not referable until
now) is the new one, except for exams without a grade.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

LIMITED, ROUTINE = 4, 5


def set_levels(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Levels of gradings that are done, and the new rank of exams without a grade."""
    gradings = apps.get_model("screening", "Grading").objects.filter(status="done")
    gradings.filter(is_gradable=True).update(quality_level="usable")
    gradings.filter(is_gradable=False).update(quality_level="ungradable")
    exams = apps.get_model("screening", "Exam").objects.filter(worklist_rank=LIMITED)
    exams.filter(worst_grade__isnull=True).update(worklist_rank=ROUTINE)


def restore_ranks(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One rank for everything that is not referable."""
    apps.get_model("screening", "Exam").objects.filter(worklist_rank=ROUTINE).update(worklist_rank=LIMITED)


class Migration(migrations.Migration):
    dependencies = [("screening", "0003_capture_date_and_withdrawal_code")]

    operations = [
        migrations.RemoveConstraint(model_name="exam", name="exam_rank_known"),
        migrations.RemoveConstraint(model_name="grading", name="grading_done_is_complete"),
        migrations.AddField(
            model_name="grading",
            name="quality_level",
            field=models.CharField(
                blank=True,
                choices=[("good", "Good"), ("usable", "Usable with limits"), ("ungradable", "Not gradable")],
                default="",
                max_length=12,
                verbose_name="quality",
            ),
        ),
        migrations.RunPython(set_levels, restore_ranks),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(worklist_rank__in=[0, 1, 2, 3, 4, 5]), name="exam_rank_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True),
                    models.Q(("is_gradable", False), ("p_gradable__isnull", False), ("quality_level", "ungradable")),
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
        ),
    ]
