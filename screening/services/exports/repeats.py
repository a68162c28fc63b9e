"""Columns of repeats: what each reader found twice, without the person."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from screening.access import Action, require
from screening.labels.grades import GRADE_LABELS
from screening.models import Site, User
from screening.selectors.repeat_agreement import eyes_of, read_repeats
from screening.services.exports.columns import ListColumns, column, day_of
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.writing import FileFormat


def _grade(laterality: str, index: int, repeat: Any) -> str:
    for found, *readings in eyes_of(repeat):
        if found == laterality:
            eye: Any = readings[index]
            return str(GRADE_LABELS[eye.grade]) if eye.is_gradable and eye.grade is not None else str(_("Ungradable"))
    return ""


class RepeatColumns(ListColumns):
    """Repeats that were read; an exam is named by its id alone."""

    reader = column(_("Reader"), lambda one: one.reader.get_username())
    exam = column(_("Exam"), "exam_id")
    first_on = column(_("Signed on"), lambda one: day_of(one.review.signed_at, one.exam.site))
    again_on = column(_("Read again on"), lambda one: day_of(one.reading.signed_at, one.exam.site))
    right = column(_("Right eye (OD)"), lambda one: _grade("OD", 0, one))
    right_again = column(_("Right eye (OD), again"), lambda one: _grade("OD", 1, one))
    left = column(_("Left eye (OS)"), lambda one: _grade("OS", 0, one))
    left_again = column(_("Left eye (OS), again"), lambda one: _grade("OS", 1, one))


def export_repeats(*, site: Site, file_format: FileFormat, by: User) -> ExportFile:
    """The repeats of a site that were read. Raises AccessDenied, ExportRefused."""
    require(by, Action.MANAGE_SITE, site)
    return export_rows(
        code="repeats",
        columns=RepeatColumns(),
        rows=read_repeats(user=by, site=site),
        file_format=file_format,
        site=site,
        filters={},
        by=by,
    )
