from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0062_audit_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="letterbatch",
            name="files_deleted_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="files deleted at"),
        ),
    ]
