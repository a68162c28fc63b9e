"""Register of people: the status of a patient, and its history, append-only by triggers."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_registerentry",), "screening_refuse_register_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0033_exam_locks"),
    ]

    operations = [
        migrations.CreateModel(
            name="RegisterEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("eligible", "Eligible"),
                            ("suspended", "Suspended"),
                            ("opted_out", "Opted out"),
                            ("excluded", "Excluded"),
                            ("moved", "Moved away"),
                            ("deceased", "Deceased"),
                        ],
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("eligible_again", "Eligible again"),
                            ("entered_in_error", "Earlier status was entered in error"),
                            ("period_ended", "The period has ended"),
                            ("hospital_eye_service", "In care of the hospital eye service"),
                            ("pregnancy_pathway", "Pregnancy pathway"),
                            ("medically_unfit", "Too ill to be photographed at present"),
                            ("under_12", "Younger than 12 years"),
                            ("own_decision", "Decided by the person"),
                            ("decided_by_carer", "Decided by a parent or legal representative"),
                            ("no_light_perception", "No perception of light in both eyes"),
                            ("no_diabetes", "Does not have diabetes"),
                            ("terminal_illness", "Terminal illness"),
                            ("other_site", "Is screened at another site"),
                            ("out_of_area", "Left the area"),
                            ("died", "Died"),
                            ("other", "Other, see the note"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=300, verbose_name="note")),
                ("from_on", models.DateField(verbose_name="from")),
                ("until_on", models.DateField(blank=True, null=True, verbose_name="last day")),
            ],
            options={
                "verbose_name": "entry of the register",
                "verbose_name_plural": "entries of the register",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="patient",
            name="register_status",
            field=models.CharField(
                choices=[
                    ("eligible", "Eligible"),
                    ("suspended", "Suspended"),
                    ("opted_out", "Opted out"),
                    ("excluded", "Excluded"),
                    ("moved", "Moved away"),
                    ("deceased", "Deceased"),
                ],
                default="eligible",
                max_length=12,
                verbose_name="status in the register",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="register_until",
            field=models.DateField(blank=True, null=True, verbose_name="last day of the status"),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("register_status__in", ["eligible", "suspended", "opted_out", "excluded", "moved", "deceased"])
                ),
                name="patient_register_status_known",
            ),
        ),
        migrations.AddField(
            model_name="registerentry",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="register_entries", to="screening.patient"
            ),
        ),
        migrations.AddField(
            model_name="registerentry",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="recorded by",
            ),
        ),
        migrations.AddIndex(
            model_name="registerentry",
            index=models.Index(fields=["patient", "-created_at"], name="register_history"),
        ),
        migrations.AddConstraint(
            model_name="registerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["eligible", "suspended", "opted_out", "excluded", "moved", "deceased"])
                ),
                name="register_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="registerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        [
                            "eligible_again",
                            "entered_in_error",
                            "period_ended",
                            "hospital_eye_service",
                            "pregnancy_pathway",
                            "under_12",
                            "medically_unfit",
                            "own_decision",
                            "decided_by_carer",
                            "no_light_perception",
                            "no_diabetes",
                            "terminal_illness",
                            "other_site",
                            "out_of_area",
                            "died",
                            "other",
                        ],
                    )
                ),
                name="register_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="registerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["suspended", "opted_out"]), ("until_on__isnull", False)),
                    models.Q(
                        models.Q(("status__in", ["suspended", "opted_out"]), _negated=True), ("until_on__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="register_until_if_limited",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
