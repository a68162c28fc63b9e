"""Columns of exams: the worklist, signed results, referrals."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from screening.access import Action, require, restrict
from screening.labels.findings import finding_text
from screening.labels.worklist import RANK_LABELS
from screening.models import Exam, User
from screening.policy import WorklistRank
from screening.selectors import WorklistFilters, search_worklist
from screening.selectors.gradings import list_site_views
from screening.selectors.referrals import ReferralFilters, list_referrals, search_referrals
from screening.selectors.results import ResultFilters, list_results
from screening.services.exports.columns import ListColumns, birth_of, column, day_of, moment_of
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.writing import FileFormat


class OfExam(ListColumns):
    """Columns of rows that have an ``exam``."""

    mrn = column(_("Medical record number"), "exam__patient__mrn")
    family_name = column(_("Family name"), "exam__patient__family_name")
    given_name = column(_("Given name"), "exam__patient__given_name")
    born_on = column(_("Birth date"), lambda one: birth_of(one.exam.patient))


class WorklistColumns(ListColumns):
    """The worklist without any result of the model."""

    site = column(_("Site"), "site__name")
    mrn = column(_("Medical record number"), "patient__mrn")
    family_name = column(_("Family name"), "patient__family_name")
    given_name = column(_("Given name"), "patient__given_name")
    born_on = column(_("Birth date"), lambda one: birth_of(one.patient))
    status = column(_("State"), lambda one: one.get_status_display())
    opened = column(_("Opened at"), lambda one: moment_of(one.created_at, one.site))
    submitted = column(_("Handed over at"), lambda one: moment_of(one.submitted_at, one.site))
    due = column(_("To be read by"), lambda one: moment_of(one.due_at, one.site))
    urgency = column(_("How soon"), lambda one: one.get_reading_urgency_display())
    n_images = column(_("Photographs"), "n_images")
    quality = column(_("Quality of the photographs"), lambda one: one.get_quality_display())
    returned = column(_("Returned: reason"), "returned_reason")


class RevealedWorklistColumns(WorklistColumns):
    """The worklist of a user who may see results of the model at some site; empty at the other sites."""

    model = column(_("Model"), lambda _one: "")

    def __init__(self, blind_sites: Any) -> None:
        super().__init__()
        self.blind_sites = blind_sites
        self.fields["model"].dehydrate_method = self._result

    def _result(self, exam: Any) -> object:
        return "" if exam.site_id in self.blind_sites else RANK_LABELS[WorklistRank(exam.rank)]


class ReferralColumns(OfExam):
    """Referrals."""

    site = column(_("Site"), "site__name")
    outcome = column(_("Outcome"), lambda one: one.get_outcome_display())
    urgency = column(_("Urgency"), lambda one: one.get_urgency_display())
    state = column(_("State"), lambda one: one.get_state_display())
    made_on = column(_("Made on"), "made_on")
    send_by = column(_("To be sent by"), "send_by")
    see_by = column(_("To be seen by"), "see_by")
    appointment_on = column(_("Appointment on"), "appointment_on")
    due_on = column(_("Next step due on"), "due_on")
    late_since = column(_("Reported as late since"), "late_since")
    id = column(_("Id"), "pk")


def _finding(laterality: str, review: Any) -> str:
    for finding in review.findings.all():
        if finding.laterality == laterality:
            return finding_text(finding)
    return ""


def _oedema(laterality: str, review: Any) -> str:
    found = [one for one in review.findings.all() if one.laterality == laterality]
    return str(found[0].get_macular_oedema_display()) if found and not found[0].is_absent else ""


class ResultColumns(OfExam):
    """Signed results that count."""

    site = column(_("Site"), "exam__site__name")
    visit = column(_("Visit"), lambda one: day_of(one.exam.created_at, one.exam.site))
    signed = column(_("Signed at"), lambda one: moment_of(one.signed_at, one.exam.site))
    reviewer = column(_("Reader"), lambda one: one.reviewer.get_username())
    right = column(_("Right eye (OD)"), lambda one: _finding("OD", one))
    right_oedema = column(_("Macular oedema, right eye (OD)"), lambda one: _oedema("OD", one))
    left = column(_("Left eye (OS)"), lambda one: _finding("OS", one))
    left_oedema = column(_("Macular oedema, left eye (OS)"), lambda one: _oedema("OS", one))
    outcome = column(_("Outcome"), lambda one: one.get_outcome_display())
    urgency = column(_("Urgency"), lambda one: one.get_urgency_display())
    recall_on = column(_("Recall on"), "recall_on")
    is_amendment = column(_("Amended"), lambda one: _("yes") if one.amends_id else "")


def export_worklist(*, filters: WorklistFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """The exams of the worklist whose patients ``by`` may see.

    Results of the model are only in it if ``by`` may see them at a site of the list.
    NB: the caller has masked ``filters.rank`` for a blind reader. Raises AccessDenied, ExportRefused.
    """
    require(by, Action.VIEW_PATIENT)
    rows: Any = restrict(search_worklist(user=by, filters=filters, text=text), by)
    blind = {site for site, view in list_site_views(by).items() if view.is_blind}
    shows_model = Exam.objects.filter(pk__in=rows.order_by().values("pk")).exclude(site__in=blind).exists()
    return export_rows(
        code="worklist",
        columns=RevealedWorklistColumns(blind) if shows_model else WorklistColumns(),
        rows=rows,
        file_format=file_format,
        site=filters.site,
        filters={
            "state": filters.state,
            "quality": filters.quality,
            "model": filters.rank,
            "reading": filters.reading,
            "mine": filters.is_mine,
            "overdue": filters.is_overdue,
        },
        is_search=bool(text.strip()),
        by=by,
    )


def export_referrals(*, filters: ReferralFilters, text: str, file_format: FileFormat, by: User) -> ExportFile:
    """The referrals of the list. Raises AccessDenied, ExportRefused."""
    require(by, Action.VIEW_PATIENT)
    is_search = bool(text.strip())
    rows = (
        search_referrals(user=by, filters=filters, text=text) if is_search else list_referrals(user=by, filters=filters)
    )
    return export_rows(
        code="referrals",
        columns=ReferralColumns(),
        rows=rows,
        file_format=file_format,
        site=filters.site,
        filters={"state": filters.state, "urgency": filters.urgency, "late": filters.is_late},
        is_search=is_search,
        by=by,
    )


def export_results(*, filters: ResultFilters, file_format: FileFormat, by: User) -> ExportFile:
    """The signed results of the list. Raises AccessDenied, ExportRefused."""
    require(by, Action.VIEW_PATIENT)
    rows: Any = list_results(user=by, filters=filters).prefetch_related("findings")
    return export_rows(
        code="results",
        columns=ResultColumns(),
        rows=rows,
        file_format=file_format,
        site=filters.site,
        filters={"from": filters.from_on, "to": filters.to_on, "outcome": filters.outcome},
        by=by,
    )
