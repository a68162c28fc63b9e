"""The worklist: its counts in the menu of every page, and its rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from screening.labels.dates import moment_text
from screening.models import Exam, User
from screening.selectors.worklist_counts import WorklistCounts, menu_counts
from screening.templatetags.addresses import record_url
from screening.templatetags.exam_locks import lock_in_force
from screening.templatetags.identities import ShownPerson, shown_person
from screening.templatetags.reviews import due_chip, quality_chip, rank_chip, waiting_time
from screening.templatetags.row_frames import RowFrame

register = template.Library()
_BADGE = "screening/exam_locks/_badge.html"


@register.simple_tag
def worklist_counts(user: Any) -> WorklistCounts | None:
    """How many exams wait for a reader; None for a user who reads none."""
    return menu_counts(user) if isinstance(user, User) else None


@register.simple_tag(takes_context=True)
def worklist_rows(context: Context, exams: Iterable[Exam]) -> SafeString:
    """The rows of exams that ``selectors.worklist`` loaded: ``_row.html`` with the values of ``ExamCells``."""
    frame = RowFrame.of_template(context, "screening/worklist/_row.html")
    return frame.filled(ExamCells(context, context["hidden_sites"], context["blind_sites"]), exams)


@dataclass(frozen=True, slots=True)
class ExamCells:
    """The values of the cells of a row: text, or HTML if they are safe strings."""

    context: Context
    """Has the texts of the page, which are translated once."""
    hidden_sites: Collection[UUID]
    blind_sites: Collection[UUID]
    _people: dict[UUID, ShownPerson] = field(default_factory=dict)

    def due_moment(self, exam: Exam) -> str:
        return moment_text(exam.due_at, exam.site.zone)

    def due(self, exam: Exam) -> str:
        return due_chip(exam)

    def priority(self, exam: Exam) -> str:
        """A chip for an exam of the first band."""
        return _chip("chip", self.context["label_priority"]) if exam.worklist_band == 0 else ""

    def waiting(self, exam: Exam) -> str:
        return waiting_time(exam.submitted_at or exam.created_at)

    def name(self, exam: Exam) -> str:
        return self._person(exam).name

    def mrn(self, exam: Exam) -> str:
        return self._person(exam).mrn

    def born(self, exam: Exam) -> str:
        return self._person(exam).birth_text

    def _person(self, exam: Exam) -> ShownPerson:
        if exam.pk not in self._people:
            self._people[exam.pk] = shown_person(exam, self.hidden_sites)
        return self._people[exam.pk]

    def reader(self, exam: Exam) -> str:
        """Who has the exam now, if anyone."""
        if lock_in_force(exam) is None or self.context.template is None:
            return ""
        badge = self.context.template.engine.get_template(_BADGE)
        with self.context.push(exam=exam):
            return badge.render(self.context)

    def n_images(self, exam: Exam) -> str:
        return str(exam.n_images)  # type: ignore[attr-defined]  # annotated

    def returned(self, exam: Exam) -> str:
        """Why it was returned, if it was."""
        reason = exam.returned_reason
        if not reason:
            return ""
        chip = _chip("chip is-refer", self.context["label_returned"])
        return format_html('<span class="is-cut is-reason" title="{}">{} {}</span>', reason, chip, reason)

    def quality(self, exam: Exam) -> str:
        return quality_chip(exam)

    def model(self, exam: Exam) -> str:
        """The rank; that it is hidden if the user reads the exams of the site blind."""
        return _chip("soft", self.context["label_hidden"]) if exam.site_id in self.blind_sites else rank_chip(exam)

    def site(self, exam: Exam) -> str:
        return exam.site.name

    def address(self, exam: Exam) -> str:
        is_read = self.context["may_review"] and not self.context["is_open_list"]
        return record_url("screening:exam-review" if is_read else "screening:exam-detail", exam.pk)


def _chip(css_class: str, text: str) -> SafeString:
    return format_html('<span class="{}">{}</span>', css_class, text)
