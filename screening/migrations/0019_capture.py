"""Add required fields of a site, who sees grades, the pupil, and eyes that cannot be photographed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0018_audit_of_access"),
    ]

    operations = [
        migrations.AddField(
            model_name="exam",
            name="left_eye_unobtainable",
            field=models.CharField(
                blank=True,
                choices=[
                    ("cataract", "Cataract or another opacity"),
                    ("small_pupil", "Small pupil"),
                    ("no_cooperation", "The patient cannot cooperate"),
                    ("other", "Another reason"),
                ],
                default="",
                max_length=16,
                verbose_name="left eye not obtainable: why",
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="left_eye_unobtainable_reason",
            field=models.CharField(
                blank=True, default="", max_length=200, verbose_name="left eye not obtainable: in words"
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="right_eye_unobtainable",
            field=models.CharField(
                blank=True,
                choices=[
                    ("cataract", "Cataract or another opacity"),
                    ("small_pupil", "Small pupil"),
                    ("no_cooperation", "The patient cannot cooperate"),
                    ("other", "Another reason"),
                ],
                default="",
                max_length=16,
                verbose_name="right eye not obtainable: why",
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="right_eye_unobtainable_reason",
            field=models.CharField(
                blank=True, default="", max_length=200, verbose_name="right eye not obtainable: in words"
            ),
        ),
        migrations.AddField(
            model_name="fundusimage",
            name="pupil",
            field=models.CharField(
                blank=True,
                choices=[("dilated", "Dilated"), ("undilated", "Not dilated")],
                default="",
                max_length=9,
                verbose_name="pupil",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="photographers_see_grades",
            field=models.BooleanField(
                blank=True,
                choices=[(True, "Yes"), (False, "No, only the quality"), (None, "As usual: not at blind-first sites")],
                default=None,
                null=True,
                verbose_name="photographers see the model's grade",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="requires_optic_disc",
            field=models.BooleanField(default=False, verbose_name="disc-centred photograph required"),
        ),
        migrations.AddField(
            model_name="site",
            name="requires_macula",
            field=models.BooleanField(
                default=True,
                help_text="Of each eye. The page of an exam says what is missing before it is handed over.",
                verbose_name="macula-centred photograph required",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("right_eye_unobtainable", ""), ("right_eye_unobtainable_reason", "")),
                    ("right_eye_unobtainable__in", ["cataract", "small_pupil", "no_cooperation"]),
                    models.Q(
                        ("right_eye_unobtainable", "other"),
                        models.Q(("right_eye_unobtainable_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="exam_right_eye_unobtainable_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exam",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("left_eye_unobtainable", ""), ("left_eye_unobtainable_reason", "")),
                    ("left_eye_unobtainable__in", ["cataract", "small_pupil", "no_cooperation"]),
                    models.Q(
                        ("left_eye_unobtainable", "other"),
                        models.Q(("left_eye_unobtainable_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="exam_left_eye_unobtainable_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(("pupil__in", ["", "dilated", "undilated"])), name="image_pupil_known"
            ),
        ),
    ]
