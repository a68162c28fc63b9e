"""Contacts with people in call and recall, append-only by triggers; telephone numbers of patients."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_contactattempt",), "screening_refuse_contact_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0038_referrals_of_signed_reviews"),
    ]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="phone",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="telephone number"),
        ),
        migrations.CreateModel(
            name="ContactAttempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder"),
                            ("no_show", "Missed appointment"),
                            ("second_try", "Second invitation"),
                            ("phone_call", "Telephone call"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("letter", "Letter"),
                            ("phone", "Telephone"),
                            ("email", "E-mail"),
                            ("sms", "Text message"),
                            ("visit", "At the clinic"),
                        ],
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("sent", "sent"),
                            ("reached", "person answered"),
                            ("not_reached", "not reached"),
                            ("returned", "wrong address or number"),
                        ],
                        max_length=12,
                        verbose_name="result",
                    ),
                ),
                ("on", models.DateField(verbose_name="day")),
                ("note", models.CharField(blank=True, default="", max_length=300, verbose_name="note")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contacts", to="screening.patient"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "ordering": ["-on", "-created_at", "id"],
                "indexes": [models.Index(fields=["patient", "-on", "-created_at"], name="contacts_of_patient")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["invitation", "reminder", "no_show", "second_try", "phone_call"])
                        ),
                        name="contact_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["letter", "phone", "email", "sms", "visit"])),
                        name="contact_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("result__in", ["sent", "reached", "not_reached", "returned"])),
                        name="contact_result_known",
                    ),
                ],
            },
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
