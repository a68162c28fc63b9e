"""A threshold of a site has the reason why it was chosen."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0064_site_settings")]

    operations = [
        migrations.AddField(
            model_name="sitethreshold",
            name="reason",
            field=models.CharField(blank=True, default="", max_length=500, verbose_name="reason for the change"),
        ),
    ]
