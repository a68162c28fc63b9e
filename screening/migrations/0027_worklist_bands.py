"""Order the worklist by band and due time, and store the quality of an exam apart from its grades."""

import datetime
from typing import Any

import django.core.validators
from django.db import migrations, models

DEFAULT_TARGET = datetime.timedelta(hours=336)
PENDING = {"queued", "running"}


def set_order(apps: Any, _editor: Any) -> None:
    """Each exam that was handed over is due by the default target; the band and the quality follow from what is stored."""
    exams = apps.get_model("screening", "Exam").objects
    exams.filter(submitted_at__isnull=False).update(due_at=models.F("submitted_at") + DEFAULT_TARGET)
    sites = apps.get_model("screening", "Site").objects.exclude(reading_mode="blind_first")
    for rank, band in enumerate((1, 2, 4, 5, 6, 7)):
        exams.filter(site__in=sites, worklist_rank=rank).update(worklist_band=band)
    gradings = apps.get_model("screening", "Grading").objects
    for exam in exams.filter(status__in=["open", "submitted"]).iterator():
        of_exam = gradings.filter(image__exam=exam, image__withdrawn_at__isnull=True).order_by("created_at")
        newest = {
            image: (eye, field, status, is_gradable, level)
            for image, eye, field, status, is_gradable, level in of_exam.values_list(
                "image", "image__laterality", "image__field", "status", "is_gradable", "quality_level"
            )
        }
        exam.quality = quality(exam, list(newest.values()))
        exam.save(update_fields=["quality"])


def quality(exam: Any, gradings: list[tuple[str, str, str, bool | None, str]]) -> str:
    """Quality of an exam from the newest grading of each photograph."""
    absent = {"OD": exam.right_eye_absent_reason, "OS": exam.left_eye_absent_reason}
    seen = {eye for eye, _, status, is_gradable, _ in gradings if is_gradable or status in PENDING}
    if any(not absent[eye] and eye not in seen for eye in absent):
        return "ungraded"
    if any(status in PENDING for _, _, status, _, _ in gradings):
        return "pending"
    fields = {level: {one[:2] for one in gradings if one[4] == level} for level in ("usable", "good")}
    return "limited" if fields["usable"] - fields["good"] else "good"


def restore_rank(apps: Any, _editor: Any) -> None:
    """Without the quality, the rank of the grades is that of the worklist."""
    apps.get_model("screening", "Exam").objects.update(grade_rank=models.F("worklist_rank"))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0026_structured_findings"),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, restore_rank),
        migrations.RemoveConstraint(
            model_name="exam",
            name="exam_grade_rank_known",
        ),
        migrations.RemoveIndex(
            model_name="exam",
            name="exam_worklist",
        ),
        migrations.RemoveField(
            model_name="exam",
            name="grade_rank",
        ),
        migrations.AddField(
            model_name="exam",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="due at"),
        ),
        migrations.AddField(
            model_name="exam",
            name="quality",
            field=models.CharField(
                choices=[
                    ("ungraded", "Not gradable or failed"),
                    ("pending", "Being graded"),
                    ("limited", "Usable with limits"),
                    ("good", "Good"),
                ],
                default="ungraded",
                max_length=12,
                verbose_name="quality of the photographs",
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="reading_urgency",
            field=models.CharField(
                choices=[("routine", "Routine"), ("soon", "Soon"), ("immediate", "Immediately")],
                default="routine",
                max_length=12,
                verbose_name="how soon it should be read",
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="worklist_band",
            field=models.PositiveSmallIntegerField(default=3, verbose_name="worklist band"),
        ),
        migrations.AddField(
            model_name="site",
            name="reading_target_immediate_h",
            field=models.PositiveIntegerField(
                default=4,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(2160),
                ],
                verbose_name="hours until an exam that should be read immediately is due",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="reading_target_routine_h",
            field=models.PositiveIntegerField(
                default=336,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(2160),
                ],
                verbose_name="hours until a routine exam should be read",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="reading_target_soon_h",
            field=models.PositiveIntegerField(
                default=72,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(2160),
                ],
                verbose_name="hours until an exam that should be read soon is due",
            ),
        ),
        migrations.RunPython(set_order, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="exam",
            index=models.Index(fields=["site", "status", "due_at"], name="exam_by_due_time"),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "cancelled"]), ("due_at__isnull", False), _connector="OR"),
                name="exam_submitted_has_due_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("worklist_band__in", [0, 1, 2, 3, 4, 5, 6, 7])), name="exam_band_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("quality__in", ["ungraded", "pending", "limited", "good"])),
                name="exam_quality_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(("reading_urgency__in", ["routine", "soon", "immediate"])),
                name="exam_reading_urgency_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reading_target_immediate_h__gte", 1),
                    ("reading_target_routine_h__gte", 1),
                    ("reading_target_soon_h__gte", 1),
                ),
                name="site_reading_targets_positive",
            ),
        ),
    ]
