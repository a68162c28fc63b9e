"""Store who looked, from where and why, with each audit event.

SQLite copies the table for new columns, which loses its triggers: they are dropped and created again.
"""

from importlib import import_module

from django.db import migrations, models

triggers = import_module("screening.migrations.0002_append_only_audit")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0017_site_thresholds"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
        migrations.AddField(
            model_name="auditevent",
            name="address",
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name="IP address"),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="key_id",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="id of the API key"),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="purpose",
            field=models.CharField(
                blank=True,
                choices=[
                    ("TREAT", "Treatment"),
                    ("HOPERAT", "Operation of the clinic"),
                    ("SYSTEM", "Task of the system"),
                ],
                default="",
                max_length=10,
                verbose_name="purpose",
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="request_id",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="request id"),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="role",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="role"),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
    ]
