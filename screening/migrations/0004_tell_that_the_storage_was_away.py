"""Tell a grading that failed because the storage of photographs was away from one that failed unexpectedly."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0003_ask_for_a_new_password")]
    operations = [
        migrations.AlterField(
            model_name="grading",
            name="failure_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unreadable", "The photograph could not be read"),
                    ("file_missing", "The stored file is missing"),
                    ("storage_unavailable", "The storage did not answer"),
                    ("time_limit", "Grading took too long"),
                    ("worker_lost", "The grading program stopped"),
                    ("model_changed", "The model was replaced meanwhile"),
                    ("unexpected", "Unexpected error"),
                ],
                default="",
                max_length=20,
                verbose_name="failure code",
            ),
        ),
    ]
