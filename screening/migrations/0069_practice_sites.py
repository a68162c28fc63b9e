"""Practice sites, and whether the first steps of a site are closed."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0068_daily_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="is_first_run_closed",
            field=models.BooleanField(default=False, editable=False, verbose_name="first steps are closed"),
        ),
        migrations.AddField(
            model_name="site",
            name="practice_of",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="practice_site",
                to="screening.site",
                verbose_name="practice of",
            ),
        ),
    ]
