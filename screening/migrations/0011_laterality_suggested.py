"""Add the eye that a photograph shows, with its confidence, to gradings."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0010_reading_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="grading",
            name="laterality_confidence",
            field=models.FloatField(blank=True, null=True, verbose_name="probability of the likelier eye"),
        ),
        migrations.AddField(
            model_name="grading",
            name="laterality_suggested",
            field=models.CharField(
                blank=True,
                choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")],
                default="",
                max_length=2,
                verbose_name="eye that the photograph shows",
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(("laterality_suggested__in", ["", "OD", "OS"])), name="grading_laterality_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("laterality_confidence__isnull", True),
                    models.Q(("laterality_confidence__gte", 0.0), ("laterality_confidence__lte", 1.0)),
                    _connector="OR",
                ),
                name="grading_laterality_confidence_is_fraction",
            ),
        ),
    ]
