"""Rename the column of the files of an upload."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0022_lockout_notices_and_purposes"),
    ]

    operations = [
        migrations.RenameField(model_name="photoupload", old_name="parts", new_name="segments"),
    ]
