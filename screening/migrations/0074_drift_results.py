"""A check of drift stores what it compared, and which photographs are shown of then and of now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0073_bundle_activations"),
    ]

    operations = [
        migrations.AddField(
            model_name="driftcheck",
            name="photographs",
            field=models.JSONField(blank=True, default=dict, verbose_name="photographs of then and of now"),
        ),
        migrations.AddField(
            model_name="driftcheck",
            name="result",
            field=models.JSONField(blank=True, null=True, verbose_name="what was compared"),
        ),
    ]
