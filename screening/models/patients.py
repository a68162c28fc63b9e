"""Patients, and the terms under which they are found."""

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.birth_dates import BirthDate
from screening.folding import MAX_FOLDED_CHARS, fold_name, fold_number, name_key
from screening.labels.births import age_band_text, age_text, birth_text
from screening.labels.choices import values
from screening.labels.messages import CONSENT_CHOICES
from screening.labels.recall import STEP_CHOICES
from screening.labels.register import STATUS_CHOICES
from screening.models import lookups  # noqa: F401 (registers the lookup "prefix")
from screening.models.base import BaseModel
from screening.models.message_settings import validate_language
from screening.models.sites import Site
from screening.policy.register import RegisterStatus, status_on
from screening.postal_addresses import MAX_ADDRESS_CHARS

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

_IS_LISTED = models.Q(merged_into__isnull=True)


class FoldedField(_CharField):
    """A folded copy of other columns, set each time the row is saved. NB: not by ``QuerySet.update``."""

    def __init__(self, fold: Callable[[Any], str] = str, **options: Any) -> None:
        """``fold`` has the row as its argument. Django clones fields without it."""
        super().__init__(**{"max_length": MAX_FOLDED_CHARS, "default": "", "editable": False, **options})
        self.fold = fold

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """The value to store."""
        value = self.fold(model_instance)
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        """A plain column in migrations."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


class Patient(BaseModel):
    """A person registered at a site, identified there by the medical record number (MRN).

    ``born_on`` is YYYY-MM-DD, YYYY-MM or YYYY, as exact as it is known. It is empty if only an estimated age is known,
    or nothing: see ``birth``. ``doctor_address`` is that of the general practitioner or the person who referred.

    ``register_status`` and ``register_until`` are those of the newest ``RegisterEntry``; without one, eligible.

    ``due_on``, ``screened_on`` and ``next_step``, with its first day, follow from results, register and contacts
    (``services.recalls``). ``due_on`` is null while the referral of the last result is open.

    ``merged_into``: the record of the same person that has the exams of this one. It leaves lists and searches.
    """

    class Sex(models.TextChoices):
        FEMALE = "F", _("Female")
        MALE = "M", _("Male")
        OTHER = "X", _("Other")
        UNKNOWN = "U", _("Unknown")

    class DiabetesType(models.TextChoices):
        TYPE_1 = "1", _("Type 1")
        TYPE_2 = "2", _("Type 2")
        OTHER = "other", _("Other type")
        UNKNOWN = "unknown", _("Unknown type")

    site = models.ForeignKey(Site, models.PROTECT, related_name="patients")
    mrn = models.CharField(_("medical record number"), max_length=40)
    given_name = models.CharField(_("given name"), max_length=80, blank=True)
    family_name = models.CharField(_("family name"), max_length=80, blank=True)
    born_on = models.CharField(_("birth date"), max_length=10, blank=True, default="")
    estimated_age = models.PositiveSmallIntegerField(_("estimated age"), null=True, blank=True)
    age_estimated_on = models.DateField(_("age estimated on"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    diabetes_type = models.CharField(
        _("diabetes type"), max_length=10, choices=DiabetesType.choices, default=DiabetesType.UNKNOWN
    )
    diabetes_since_year = models.PositiveSmallIntegerField(_("diabetes since (year)"), null=True, blank=True)
    phone = models.CharField(_("telephone number"), max_length=40, blank=True, default="")
    email = models.CharField(_("e-mail address"), max_length=254, blank=True, default="")
    postal_address = models.TextField(_("postal address"), max_length=MAX_ADDRESS_CHARS, blank=True, default="")
    doctor_address = models.TextField(
        _("name and address of the doctor"), max_length=MAX_ADDRESS_CHARS, blank=True, default=""
    )
    language = models.CharField(_("language"), max_length=16, blank=True, default="", validators=[validate_language])
    email_consent = models.CharField(
        _("messages by e-mail"), max_length=3, choices=CONSENT_CHOICES, blank=True, default=""
    )
    sms_consent = models.CharField(_("text messages"), max_length=3, choices=CONSENT_CHOICES, blank=True, default="")
    register_status = models.CharField(
        _("status in the register"), max_length=12, choices=STATUS_CHOICES, default=RegisterStatus.ELIGIBLE.value
    )
    register_until = models.DateField(_("last day of the status"), null=True, blank=True)
    due_on = models.DateField(_("due on"), null=True, blank=True, default=timezone.localdate, editable=False)
    screened_on = models.DateField(_("last screened on"), null=True, blank=True, editable=False)
    next_step = models.CharField(
        _("next step"), max_length=12, choices=STEP_CHOICES, blank=True, default="invite", editable=False
    )
    next_step_on = models.DateField(
        _("next step from"), null=True, blank=True, default=timezone.localdate, editable=False
    )
    folded_mrn = FoldedField(lambda row: fold_number(row.mrn))
    folded_name = FoldedField(lambda row: fold_name(f"{row.family_name} {row.given_name}"))
    name_key = FoldedField(lambda row: name_key(row.family_name, row.given_name))
    merged_into = models.ForeignKey("self", models.PROTECT, related_name="merged_from", null=True, blank=True)

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["folded_name", "id"]
        indexes = [
            models.Index(fields=["site", "folded_name"], name="patient_by_folded_name"),
            models.Index(fields=["site", "name_key"], name="patient_by_name_key"),
            models.Index(
                fields=["folded_mrn", "site"], name="patient_by_mrn", opclasses=["varchar_pattern_ops", "uuid_ops"]
            ),
            models.Index(fields=["site", "due_on", "id"], name="patient_by_due_date"),
            # All that the due list reads to count the people in each state.
            models.Index(
                fields=["site", "due_on", "id"],
                include=["register_status", "register_until", "next_step", "next_step_on"],
                name="patient_of_due_list",
                condition=_IS_LISTED,
            ),
            # The orders of the list and of the API, for users of any number of sites.
            models.Index(fields=["folded_name", "id"], name="patient_by_name", include=["mrn", "merged_into"]),
            models.Index(fields=["-created_at", "id"], name="patient_newest", condition=_IS_LISTED),
        ]
        constraints = [
            models.UniqueConstraint(fields=["site", "mrn"], name="patient_mrn_once_a_site"),
            models.CheckConstraint(condition=~models.Q(mrn=""), name="patient_has_mrn"),
            models.CheckConstraint(condition=~models.Q(given_name="", family_name=""), name="patient_has_name"),
            models.CheckConstraint(
                condition=models.Q(estimated_age__isnull=True, age_estimated_on__isnull=True)
                | models.Q(estimated_age__isnull=False, age_estimated_on__isnull=False, born_on=""),
                name="patient_has_one_birth",
            ),
            models.CheckConstraint(
                condition=models.Q(register_status__in=values(RegisterStatus)), name="patient_register_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(email_consent__in=["", "yes", "no"], sms_consent__in=["", "yes", "no"]),
                name="patient_consents_known",
            ),
            models.CheckConstraint(condition=models.Q(sex__in=["F", "M", "X", "U"]), name="patient_sex_known"),
            models.CheckConstraint(
                condition=models.Q(diabetes_type__in=["1", "2", "other", "unknown"]), name="patient_diabetes_known"
            ),
        ]

    def __str__(self) -> str:
        """NB: without the name: this text appears in logs and in the history of the admin panel."""
        return f"Patient {self.id}"

    @property
    def full_name(self) -> str:
        """Family name, given name; one of them suffices."""
        return ", ".join(name for name in (self.family_name, self.given_name) if name)

    @property
    def initials(self) -> str:
        """Initials of given and family name, such as ``A. L.``."""
        return " ".join(f"{name[0]}." for name in (self.given_name, self.family_name) if name)

    @property
    def birth(self) -> BirthDate:
        """What is known of the birth."""
        return BirthDate(self.born_on, self.estimated_age, self.age_estimated_on)

    @property
    def birth_text(self) -> str:
        """The birth date as exact as it is known, or the estimated age."""
        return birth_text(self.birth)

    def register_status_on(self, day: datetime.date) -> RegisterStatus:
        """The status in the register that counts on ``day``."""
        return status_on(RegisterStatus(self.register_status), self.register_until, day)

    def age_text_on(self, day: datetime.date) -> str:
        """The age on ``day``, as exact as it is known; empty if it is not known."""
        return age_text(self.birth, day)

    def case_text_on(self, day: datetime.date) -> str:
        """Sex and age band: all that is shown to a user who does not see who the person is."""
        return f"{self.get_sex_display()}, {age_band_text(self.birth, day)}"


class PatientSearchTerm(models.Model):
    """A folded term of a patient's names. A search compares the beginnings of terms."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="search_terms", db_index=False)
    term = models.CharField(max_length=MAX_FOLDED_CHARS)

    class Meta:
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")
        indexes = [
            models.Index(fields=["term", "patient"], name="search_term", opclasses=["varchar_pattern_ops", "uuid_ops"])
        ]
        constraints = [models.UniqueConstraint(fields=["patient", "term"], name="search_term_once")]

    def __str__(self) -> str:
        """NB: without the term, which is a name."""
        return f"Search term {self.pk}"
