"""Counts of the dashboard by site and day, and the index by which the exams of a day are found."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0067_shadow_mode"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountedDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("is_pending", models.BooleanField(default=True, verbose_name="has to be counted")),
                ("counted_at", models.DateTimeField(blank=True, null=True, verbose_name="counted at")),
                ("is_register_pending", models.BooleanField(default=False, verbose_name="people have to be counted")),
                ("register_counted_at", models.DateTimeField(blank=True, null=True, verbose_name="people counted at")),
            ],
            options={
                "verbose_name": "counted day",
                "verbose_name_plural": "counted days",
                "ordering": ["-day", "id"],
            },
        ),
        migrations.CreateModel(
            name="CountRun",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("ran_at", models.DateTimeField(verbose_name="ran at")),
                ("read_until", models.DateTimeField(verbose_name="changes read until")),
                ("n_pending", models.PositiveIntegerField(default=0, verbose_name="days that have to be counted")),
            ],
            options={
                "verbose_name": "run of the counts",
                "verbose_name_plural": "runs of the counts",
            },
        ),
        migrations.CreateModel(
            name="DailyCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("dimension", models.CharField(max_length=12, verbose_name="dimension")),
                (
                    "subject",
                    models.CharField(blank=True, default="", max_length=80, verbose_name="value of the dimension"),
                ),
                ("measure", models.CharField(max_length=16, verbose_name="measure")),
                ("code", models.CharField(blank=True, default="", max_length=40, verbose_name="code")),
                ("n", models.PositiveIntegerField(verbose_name="number")),
            ],
            options={
                "verbose_name": "count of a day",
                "verbose_name_plural": "counts of days",
                "ordering": ["site", "day", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="exam",
            index=models.Index(fields=["site", "created_at"], name="exam_by_visit"),
        ),
        migrations.AddIndex(
            model_name="contactattempt",
            index=models.Index(condition=models.Q(("kind", "invitation")), fields=["on"], name="invitations_of_day"),
        ),
        migrations.AddField(
            model_name="countedday",
            name="site",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.site"),
        ),
        migrations.AddField(
            model_name="dailycount",
            name="site",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.site"),
        ),
        migrations.AddIndex(
            model_name="countedday",
            index=models.Index(condition=models.Q(("is_pending", True)), fields=["-day"], name="day_to_count"),
        ),
        migrations.AddConstraint(
            model_name="countedday",
            constraint=models.UniqueConstraint(fields=("site", "day"), name="counted_day_once"),
        ),
        migrations.AddIndex(
            model_name="dailycount",
            index=models.Index(
                fields=["site", "dimension", "measure", "day"],
                include=("subject", "code", "n"),
                name="count_by_measure",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailycount",
            constraint=models.UniqueConstraint(
                fields=("site", "day", "dimension", "subject", "measure", "code"), name="count_once_a_day"
            ),
        ),
    ]
