"""Runs of the task that computes due dates."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0039_contacts"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecallRun",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("ran_at", models.DateTimeField(verbose_name="ran at")),
                ("n_ended", models.PositiveIntegerField(default=0, verbose_name="ended suspensions and opt-outs")),
                ("n_changed", models.PositiveIntegerField(default=0, verbose_name="changed due dates")),
            ],
            options={
                "verbose_name": "run of the due dates",
                "verbose_name_plural": "runs of the due dates",
            },
        ),
    ]
