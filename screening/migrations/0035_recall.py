"""Due dates of patients, computed from the results that count, and the days of call and recall of a site."""

import datetime
import zoneinfo
from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

INVITE_BEFORE = datetime.timedelta(days=42)


def compute_due_dates(apps: Any, _editor: Any) -> None:
    """People with a result are due at its recall date, others since their registration."""
    patient_model, review_model = apps.get_model("screening", "Patient"), apps.get_model("screening", "Review")
    results = review_model.objects.filter(
        exam__patient=OuterRef("pk"), amendments__isnull=True, reading_round=F("exam__reading_round")
    ).order_by("-exam__created_at", "-signed_at")
    patients = patient_model.objects.select_related("site").annotate(
        result_at=Subquery(results.values("exam__created_at")[:1]),
        result_recall_on=Subquery(results.values("recall_on")[:1]),
    )
    changed = []
    for patient in patients.iterator():
        zone = zoneinfo.ZoneInfo(patient.site.timezone)
        patient.due_on = timezone.localdate(patient.created_at, zone)
        if patient.result_at is not None:
            patient.screened_on = timezone.localdate(patient.result_at, zone)
            patient.due_on = patient.result_recall_on
        patient.next_step = "" if patient.due_on is None else "invite"
        patient.next_step_on = None if patient.due_on is None else patient.due_on - INVITE_BEFORE
        changed.append(patient)
    columns = ["due_on", "screened_on", "next_step", "next_step_on"]
    patient_model.objects.bulk_update(changed, columns, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0034_register"),
    ]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="due_on",
            field=models.DateField(
                blank=True, default=django.utils.timezone.localdate, editable=False, null=True, verbose_name="due on"
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="next_step",
            field=models.CharField(
                blank=True,
                choices=[
                    ("invite", "Invite"),
                    ("remind", "Remind"),
                    ("second_try", "Invite a second time"),
                    ("phone", "Telephone"),
                    ("lost", "Inform the doctor: lost to follow-up"),
                ],
                default="invite",
                editable=False,
                max_length=12,
                verbose_name="next step",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="next_step_on",
            field=models.DateField(
                blank=True,
                default=django.utils.timezone.localdate,
                editable=False,
                null=True,
                verbose_name="next step from",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="screened_on",
            field=models.DateField(blank=True, editable=False, null=True, verbose_name="last screened on"),
        ),
        migrations.AddField(
            model_name="site",
            name="invite_before_days",
            field=models.PositiveSmallIntegerField(
                default=42, verbose_name="days before the due date at which people are invited"
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="lost_after_days",
            field=models.PositiveSmallIntegerField(
                default=28, verbose_name="days after the telephone call at which people are lost to follow-up"
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="overdue_after_days",
            field=models.PositiveSmallIntegerField(
                default=42, verbose_name="days after the due date at which people are overdue"
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="phone_after_days",
            field=models.PositiveSmallIntegerField(
                default=28, verbose_name="days from the second invitation to the telephone call"
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="reminder_after_days",
            field=models.PositiveSmallIntegerField(default=14, verbose_name="days from the invitation to the reminder"),
        ),
        migrations.AddField(
            model_name="site",
            name="second_try_after_days",
            field=models.PositiveSmallIntegerField(
                default=28, verbose_name="days from the reminder or a missed appointment to the second invitation"
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["site", "due_on", "id"], name="patient_by_due_date"),
        ),
        migrations.RunPython(compute_due_dates, migrations.RunPython.noop),
    ]
