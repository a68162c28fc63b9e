"""Columns of lists of the administration panel, whose rows the panel chooses."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.labels.findings import finding_text
from screening.labels.grades import GRADE_LABELS
from screening.services.exports.columns import ListColumns, birth_of, column, moment_of
from screening.services.exports.exams import OfExam


class PatientColumns(ListColumns):
    """Patients."""

    site = column(_("Site"), "site__name")
    mrn = column(_("Medical record number"), "mrn")
    family_name = column(_("Family name"), "family_name")
    given_name = column(_("Given name"), "given_name")
    born_on = column(_("Birth date"), birth_of)
    sex = column(_("Sex"), lambda one: one.get_sex_display())
    diabetes_type = column(_("Diabetes type"), lambda one: one.get_diabetes_type_display())
    created_at = column(_("created at"), lambda one: moment_of(one.created_at, one.site))
    id = column(_("Id"), "pk")


class ExamColumns(ListColumns):
    """Exams, without any result."""

    site = column(_("Site"), "site__name")
    mrn = column(_("Medical record number"), "patient__mrn")
    family_name = column(_("Family name"), "patient__family_name")
    given_name = column(_("Given name"), "patient__given_name")
    born_on = column(_("Birth date"), lambda one: birth_of(one.patient))
    status = column(_("State"), lambda one: one.get_status_display())
    opened = column(_("Opened at"), lambda one: moment_of(one.created_at, one.site))
    opened_by = column(_("Opened by"), lambda one: one.opened_by.get_username())
    submitted = column(_("Handed over at"), lambda one: moment_of(one.submitted_at, one.site))
    urgency = column(_("How soon"), lambda one: one.get_reading_urgency_display())
    id = column(_("Id"), "pk")


class PhotographColumns(OfExam):
    """Records of photographs."""

    site = column(_("Site"), "exam__site__name")
    eye = column(_("Eye"), lambda one: one.get_laterality_display())
    field = column(_("Field"), lambda one: one.get_field_display())
    captured_on = column(_("date of the photograph"), "captured_on")
    camera = column(_("Camera"), "camera")
    width = column(_("width (px, upright)"), "width_px")
    height = column(_("height (px, upright)"), "height_px")
    withdrawn_at = column(_("withdrawn at"), lambda one: moment_of(one.withdrawn_at, one.exam.site))
    id = column(_("Id"), "pk")


def _grade(row: Any) -> object:
    return "" if row.grade is None else GRADE_LABELS[row.grade]


class GradingColumns(ListColumns):
    """Results of the model."""

    site = column(_("Site"), "image__exam__site__name")
    mrn = column(_("Medical record number"), "image__exam__patient__mrn")
    family_name = column(_("Family name"), "image__exam__patient__family_name")
    given_name = column(_("Given name"), "image__exam__patient__given_name")
    eye = column(_("Eye"), lambda one: one.image.get_laterality_display())
    queued_at = column(_("queued at"), lambda one: moment_of(one.queued_at, one.image.exam.site))
    status = column(_("State"), lambda one: one.get_status_display())
    failure = column(_("failure code"), lambda one: one.get_failure_code_display())
    quality = column(_("Quality"), lambda one: one.get_quality_level_display())
    grade = column(_("Grade"), _grade)
    p_referable = column(_("probability that it is referable"), "p_referable")
    is_referable = column(_("is referable"), "is_referable")
    suspects_oedema = column(_("suspicion of macular oedema"), "suspects_oedema")
    model_version = column(_("model version"), "model_version")
    id = column(_("Id"), "pk")


class FirstReadingColumns(OfExam):
    """Grades before the model's was revealed."""

    site = column(_("Site"), "exam__site__name")
    eye = column(_("Eye"), lambda one: one.get_laterality_display())
    finding = column(_("Grade"), finding_text)
    oedema = column(_("Macular oedema"), lambda one: one.get_macular_oedema_display())
    not_blind = column(_("not blind"), lambda one: one.get_not_blind_reason_display())
    reviewer = column(_("Reader"), lambda one: one.reviewer.get_username())
    created_at = column(_("created at"), lambda one: moment_of(one.created_at, one.exam.site))
    id = column(_("Id"), "pk")


class AcuityColumns(OfExam):
    """Visual acuities."""

    site = column(_("Site"), "exam__site__name")
    eye = column(_("Eye"), lambda one: one.get_laterality_display())
    entered = column(_("visual acuity as entered"), "entered")
    logmar = column(_("logMAR"), lambda one: float(one.logmar))
    correction = column(_("correction"), lambda one: one.get_correction_display())
    recorded_by = column(_("recorded by"), lambda one: one.recorded_by.get_username())
    created_at = column(_("created at"), lambda one: moment_of(one.created_at, one.exam.site))
    id = column(_("Id"), "pk")


def _local(value: datetime.datetime | None) -> datetime.datetime | None:
    """A moment in the time zone of the server, of records without a site."""
    return None if value is None else timezone.localtime(value, timezone.get_default_timezone())


class UserColumns(ListColumns):
    """Accounts. NB: no password, and no hash of one."""

    username = column(_("User name"), "username")
    first_name = column(_("Given name"), "first_name")
    last_name = column(_("Family name"), "last_name")
    email = column(_("E-mail address"), "email")
    is_active = column(_("is active"), "is_active")
    is_superuser = column(_("superuser status"), "is_superuser")
    joined = column(_("created at"), lambda one: _local(one.date_joined))
    last_login = column(_("Last log-in"), lambda one: _local(one.last_login))


class SiteColumns(ListColumns):
    """Sites, with the settings of reading."""

    name = column(_("Site"), "name")
    code = column(_("code"), "code")
    programme = column(_("Programme"), lambda one: str(one.programme or ""))
    zone = column(_("time zone"), "timezone")
    reading_mode = column(_("reading mode"), lambda one: one.get_reading_mode_display())
    scale = column(_("grading scale"), lambda one: one.get_scale_display())
    model = column(_("Model"), "model")
    is_active = column(_("is active"), "is_active")
    id = column(_("Id"), "pk")


class ApiKeyColumns(ListColumns):
    """API keys. NB: no key, and no hash of one; the first characters name it."""

    user = column(_("User name"), lambda one: one.user.get_username())
    name = column(_("Name"), "name")
    prefix = column(_("first letters of the key"), "prefix")
    created = column(_("created at"), lambda one: _local(one.created_at))
    last_used = column(_("last used at"), lambda one: _local(one.last_used_at))
    expires = column(_("expires at"), lambda one: _local(one.expires_at))
    revoked = column(_("revoked at"), lambda one: _local(one.revoked_at))


class MembershipColumns(ListColumns):
    """Roles of users at sites."""

    user = column(_("User name"), lambda one: one.user.get_username())
    site = column(_("Site"), "site__name")
    role = column(_("role"), lambda one: one.get_role_display())
    created = column(_("created at"), lambda one: moment_of(one.created_at, one.site))
