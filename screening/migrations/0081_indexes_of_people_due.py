"""Indexes for the due list of a site, and for the signed exams of the API."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0080_site_of_reviews"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "booked")),
                fields=["site", "day"],
                include=("patient",),
                name="booking_to_come",
            ),
        ),
        migrations.AddIndex(
            model_name="exam",
            index=models.Index(
                condition=models.Q(("status", "signed")), fields=["-created_at", "id"], name="exam_signed"
            ),
        ),
        migrations.AddIndex(
            model_name="exam",
            index=models.Index(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "arbitration",
                            "entered_in_error",
                            "first_reading",
                            "open",
                            "returned",
                            "second_reading",
                            "submitted",
                        ],
                    )
                ),
                fields=["site"],
                include=("patient", "status", "created_at", "returned_at"),
                name="exam_in_progress",
            ),
        ),
    ]
