"""Store when a person was sent a notice of wrong passwords, and more purposes of audit events."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0021_photo_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="lockout_notice_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="notice of wrong passwords sent at"),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="purpose",
            field=models.CharField(
                blank=True,
                choices=[
                    ("TREAT", "Treatment"),
                    ("ETREAT", "Treatment in an emergency"),
                    ("HOPERAT", "Operation of the clinic"),
                    ("HQUALIMP", "Improvement of quality"),
                    ("HRESCH", "Research"),
                    ("PATRQT", "Request of the patient"),
                    ("SYSTEM", "Task of the system"),
                ],
                default="",
                max_length=10,
                verbose_name="purpose",
            ),
        ),
    ]
