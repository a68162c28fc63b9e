"""Corrections by time: which results changed since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0083_claims_of_sites"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(fields=["-created_at", "id"], name="correction_newest"),
        ),
    ]
