"""The UIDs under which an archive has the original of a photograph that came as a DICOM file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0084_corrections_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="fundusimage",
            name="instance_uid",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="DICOM image"),
        ),
        migrations.AddField(
            model_name="fundusimage",
            name="study_uid",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="DICOM study"),
        ),
    ]
