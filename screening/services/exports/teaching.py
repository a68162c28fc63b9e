"""Columns of teaching sets, and of their certificates: the agreement of readers."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from screening.access import Action, require
from screening.models import TeachingSet, User
from screening.policy.proportions import Proportion
from screening.selectors.teaching import list_certificates, list_teaching_sets
from screening.services.exports.columns import ListColumns, column, day_of
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.writing import FileFormat


def _limit(index: int, certificate: Any) -> float | None:
    interval = certificate.metrics["kappa_interval"]
    return None if interval is None else interval[index]


def _proportion(name: str, certificate: Any) -> float | None:
    return Proportion(*certificate.metrics[name]).value


class CertificateColumns(ListColumns):
    """Certificates: figures from 0 to 1, empty if there is none."""

    teaching_set = column(_("Teaching set"), "teaching_set__name")
    version = column(_("Version"), "version")
    reader = column(_("Reader"), lambda one: one.reader.get_username())
    issued = column(_("Issued on"), lambda one: day_of(one.created_at, one.teaching_set.site))
    n_cases = column(_("Exams"), "n_cases")
    n_eyes = column(_("Eyes"), lambda one: one.metrics["n_eyes"])
    kappa = column(_("Kappa with quadratic weights"), lambda one: one.metrics["kappa"])
    kappa_low = column(_("Kappa, lower limit (95 %)"), lambda one: _limit(0, one))
    kappa_high = column(_("Kappa, upper limit (95 %)"), lambda one: _limit(1, one))
    sensitivity = column(_("Sensitivity for referable eyes"), lambda one: _proportion("sensitivity", one))
    specificity = column(_("Specificity for referable eyes"), lambda one: _proportion("specificity", one))


class TeachingSetColumns(ListColumns):
    """Teaching sets; how many exams ``by`` has read."""

    name = column(_("Name"), "name")
    site = column(_("Site"), "site__name")
    version = column(_("Version"), "version")
    archived = column(_("Archived"), lambda one: day_of(one.archived_at, one.site))
    n_cases = column(_("Exams"), "n_cases")
    n_read = column(_("Read by you"), "n_read")


def export_teaching_sets(*, file_format: FileFormat, by: User) -> ExportFile:
    """The teaching sets that ``by`` may see. Raises AccessDenied, ExportRefused."""
    require(by, Action.VIEW_TEACHING_SET)
    return export_rows(
        code="teaching-sets",
        columns=TeachingSetColumns(),
        rows=list_teaching_sets(user=by),
        file_format=file_format,
        site=None,
        filters={},
        by=by,
    )


def export_certificates(*, teaching_set: TeachingSet, file_format: FileFormat, by: User) -> ExportFile:
    """The certificates of a set that ``by`` may see. Raises AccessDenied, ExportRefused."""
    require(by, Action.VIEW_TEACHING_SET, teaching_set.site)
    return export_rows(
        code="certificates",
        columns=CertificateColumns(),
        rows=list_certificates(user=by).filter(teaching_set=teaching_set),
        file_format=file_format,
        site=teaching_set.site,
        filters={"teaching_set": teaching_set.pk},
        by=by,
    )
