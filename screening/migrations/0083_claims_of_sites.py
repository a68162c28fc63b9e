"""The last claim of a site is that of its gradings, found by an index, in place of a row that each claim changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0082_indexes_of_names"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="grading",
            index=models.Index(fields=["queue_site", "-started_at"], name="grading_by_claim"),
        ),
        migrations.DeleteModel(
            name="SiteClaim",
        ),
    ]
