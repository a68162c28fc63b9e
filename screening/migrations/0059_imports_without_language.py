"""What is wrong with a row of an import is stored as a code, so an import has no language."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0058_repeats"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="dataimport",
            name="language",
        ),
    ]
