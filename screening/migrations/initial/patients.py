"""Patients and the register."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import screening.models.message_settings

OPERATIONS = [
    migrations.CreateModel(
        name="Patient",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="patients", to="screening.site"
                ),
            ),
            ("mrn", models.CharField(max_length=40, verbose_name="medical record number")),
            ("given_name", models.CharField(blank=True, max_length=80, verbose_name="given name")),
            ("family_name", models.CharField(blank=True, max_length=80, verbose_name="family name")),
            ("born_on", models.CharField(blank=True, default="", max_length=10, verbose_name="birth date")),
            ("estimated_age", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="estimated age")),
            ("age_estimated_on", models.DateField(blank=True, null=True, verbose_name="age estimated on")),
            (
                "sex",
                models.CharField(
                    choices=[("F", "Female"), ("M", "Male"), ("X", "Other"), ("U", "Unknown")],
                    default="U",
                    max_length=1,
                    verbose_name="sex",
                ),
            ),
            (
                "diabetes_type",
                models.CharField(
                    choices=[("1", "Type 1"), ("2", "Type 2"), ("other", "Other type"), ("unknown", "Unknown type")],
                    default="unknown",
                    max_length=10,
                    verbose_name="diabetes type",
                ),
            ),
            (
                "diabetes_since_year",
                models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="diabetes since (year)"),
            ),
            ("phone", models.CharField(blank=True, default="", max_length=40, verbose_name="telephone number")),
            ("email", models.CharField(blank=True, default="", max_length=254, verbose_name="e-mail address")),
            ("postal_address", models.TextField(blank=True, default="", max_length=492, verbose_name="postal address")),
            (
                "doctor_address",
                models.TextField(blank=True, default="", max_length=492, verbose_name="name and address of the doctor"),
            ),
            (
                "language",
                models.CharField(
                    blank=True,
                    default="",
                    max_length=16,
                    validators=[screening.models.message_settings.validate_language],
                    verbose_name="language",
                ),
            ),
            (
                "email_consent",
                models.CharField(
                    blank=True,
                    choices=[("", "Not asked"), ("yes", "Yes"), ("no", "No")],
                    default="",
                    max_length=3,
                    verbose_name="messages by e-mail",
                ),
            ),
            (
                "sms_consent",
                models.CharField(
                    blank=True,
                    choices=[("", "Not asked"), ("yes", "Yes"), ("no", "No")],
                    default="",
                    max_length=3,
                    verbose_name="text messages",
                ),
            ),
            (
                "register_status",
                models.CharField(
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
            ("register_until", models.DateField(blank=True, null=True, verbose_name="last day of the status")),
            (
                "due_on",
                models.DateField(
                    blank=True,
                    default=django.utils.timezone.localdate,
                    editable=False,
                    null=True,
                    verbose_name="due on",
                ),
            ),
            ("screened_on", models.DateField(blank=True, editable=False, null=True, verbose_name="last screened on")),
            (
                "next_step",
                models.CharField(
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
            (
                "next_step_on",
                models.DateField(
                    blank=True,
                    default=django.utils.timezone.localdate,
                    editable=False,
                    null=True,
                    verbose_name="next step from",
                ),
            ),
            ("folded_mrn", models.CharField(default="", editable=False, max_length=200)),
            ("folded_name", models.CharField(default="", editable=False, max_length=200)),
            ("name_key", models.CharField(default="", editable=False, max_length=200)),
            (
                "merged_into",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="merged_from",
                    to="screening.patient",
                ),
            ),
        ],
        options={
            "verbose_name": "patient",
            "verbose_name_plural": "patients",
            "ordering": ["folded_name", "id"],
            "indexes": [
                models.Index(fields=["site", "folded_name"], name="patient_by_folded_name"),
                models.Index(fields=["site", "name_key"], name="patient_by_name_key"),
                models.Index(
                    fields=["folded_mrn", "site"], name="patient_by_mrn", opclasses=["varchar_pattern_ops", "uuid_ops"]
                ),
                models.Index(fields=["site", "due_on", "id"], name="patient_by_due_date"),
            ],
            "constraints": [
                models.UniqueConstraint(fields=("site", "mrn"), name="patient_mrn_once_a_site"),
                models.CheckConstraint(condition=models.Q(("mrn", ""), _negated=True), name="patient_has_mrn"),
                models.CheckConstraint(
                    condition=models.Q(("family_name", ""), ("given_name", ""), _negated=True), name="patient_has_name"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("age_estimated_on__isnull", True), ("estimated_age__isnull", True)),
                        models.Q(
                            ("age_estimated_on__isnull", False), ("born_on", ""), ("estimated_age__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="patient_has_one_birth",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("register_status__in", ["eligible", "suspended", "opted_out", "excluded", "moved", "deceased"])
                    ),
                    name="patient_register_status_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("email_consent__in", ["", "yes", "no"]), ("sms_consent__in", ["", "yes", "no"])
                    ),
                    name="patient_consents_known",
                ),
                models.CheckConstraint(condition=models.Q(("sex__in", ["F", "M", "X", "U"])), name="patient_sex_known"),
                models.CheckConstraint(
                    condition=models.Q(("diabetes_type__in", ["1", "2", "other", "unknown"])),
                    name="patient_diabetes_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="PatientSearchTerm",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "patient",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="search_terms",
                    to="screening.patient",
                ),
            ),
            ("term", models.CharField(max_length=200)),
        ],
        options={
            "verbose_name": "search term",
            "verbose_name_plural": "search terms",
            "indexes": [
                models.Index(
                    fields=["term", "patient"], name="search_term", opclasses=["varchar_pattern_ops", "uuid_ops"]
                )
            ],
            "constraints": [models.UniqueConstraint(fields=("patient", "term"), name="search_term_once")],
        },
    ),
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
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="register_entries", to="screening.patient"
                ),
            ),
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
            (
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="recorded by",
                ),
            ),
        ],
        options={
            "verbose_name": "entry of the register",
            "verbose_name_plural": "entries of the register",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["patient", "-created_at"], name="register_history")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("status__in", ["eligible", "suspended", "opted_out", "excluded", "moved", "deceased"])
                    ),
                    name="register_status_known",
                ),
                models.CheckConstraint(
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
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status__in", ["suspended", "opted_out"]), ("until_on__isnull", False)),
                        models.Q(
                            models.Q(("status__in", ["suspended", "opted_out"]), _negated=True),
                            ("until_on__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="register_until_if_limited",
                ),
            ],
        },
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
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="contacts", to="screening.patient"
                ),
            ),
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
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="recorded by",
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
                    condition=models.Q(("kind__in", ["invitation", "reminder", "no_show", "second_try", "phone_call"])),
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
]
