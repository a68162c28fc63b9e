from typing import Any

from django.db import migrations, models


def add_codes(apps: Any, _editor: Any) -> None:
    """Photographs withdrawn before there were codes have a reason in words."""
    images = apps.get_model("screening", "FundusImage").objects
    images.filter(withdrawn_at__isnull=False).update(withdrawn_code="other")


def add_reasons(apps: Any, _editor: Any) -> None:
    """Without codes each withdrawn photograph needs a reason in words."""
    images = apps.get_model("screening", "FundusImage").objects
    images.filter(withdrawn_at__isnull=False, withdrawn_reason="").update(withdrawn_reason=models.F("withdrawn_code"))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0002_append_only_audit"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="fundusimage",
            name="image_withdrawn_with_reason",
        ),
        migrations.AddField(
            model_name="fundusimage",
            name="captured_on",
            field=models.DateField(blank=True, null=True, verbose_name="date of the photograph"),
        ),
        migrations.AddField(
            model_name="fundusimage",
            name="captured_on_source",
            field=models.CharField(
                blank=True,
                choices=[
                    ("client", "entered at the upload"),
                    ("exif", "read from the file"),
                    ("upload", "day of the upload"),
                ],
                default="",
                max_length=8,
                verbose_name="date of the photograph: source",
            ),
        ),
        migrations.AddField(
            model_name="fundusimage",
            name="withdrawn_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("wrong_eye", "Wrong eye"),
                    ("wrong_patient", "Wrong patient"),
                    ("poor_quality", "Poor quality"),
                    ("other", "Another reason"),
                ],
                default="",
                max_length=16,
                verbose_name="withdrawn: why",
            ),
        ),
        migrations.RunPython(add_codes, add_reasons),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_code", ""), ("withdrawn_reason", "")),
                    models.Q(
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_code__in", ["wrong_eye", "wrong_patient", "poor_quality"]),
                    ),
                    models.Q(
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_code", "other"),
                        models.Q(("withdrawn_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="image_withdrawn_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="fundusimage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("captured_on__isnull", True), ("captured_on_source", "")),
                    models.Q(("captured_on__isnull", False), ("captured_on_source__in", ["client", "exif", "upload"])),
                    _connector="OR",
                ),
                name="image_capture_date_has_source",
            ),
        ),
    ]
