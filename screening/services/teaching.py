"""Teaching sets: creating, adding and removing exams, archiving, readings. No exam, review or worklist is changed."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import (
    AuditEvent,
    Exam,
    FundusImage,
    Review,
    Site,
    TeachingCase,
    TeachingReading,
    TeachingSet,
    User,
)
from screening.policy.exam_states import ExamState
from screening.policy.marks import write_marks
from screening.selectors.reviews import IN_FORCE
from screening.selectors.teaching import cases_to_read
from screening.services.audit import record_event
from screening.services.marks import require_own_photos
from screening.services.structured_findings import Finding

MAX_CASES = 200


class TeachingError(ValueError):
    """The set does not allow this. The message is for the user."""


@transaction.atomic
def create_teaching_set(*, site: Site, name: str, note: str, shows_truth: str, by: User) -> TeachingSet:
    """Create an empty set. Raises AccessDenied, TeachingError if the site has one of this name."""
    require(by, Action.MANAGE_SITE, site)
    created = TeachingSet(
        site=site, name=name.strip(), note=note.strip(), shows_truth=TeachingSet.ShowsTruth(shows_truth), created_by=by
    )
    try:
        with transaction.atomic():
            created.save(force_insert=True)
    except IntegrityError:
        raise TeachingError(_("This site has a teaching set of this name. Choose another name.")) from None
    _record(created, "created", by)
    return created


@transaction.atomic
def add_teaching_case(*, teaching_set: TeachingSet, exam: Exam, by: User) -> TeachingCase:
    """Add a signed exam with what is signed now. Raises AccessDenied, TeachingError."""
    locked = _lock_set(teaching_set, by)
    review = Review.objects.filter(IN_FORCE, exam=exam, exam__site=locked.site).prefetch_related("findings").first()
    if review is None or review.exam.status != ExamState.SIGNED:
        raise TeachingError(_("Only a signed exam of this site can be added."))
    images = FundusImage.objects.filter(exam=exam, withdrawn_at__isnull=True)
    if images.filter(writing=FundusImage.Writing.KEPT).exists():
        raise TeachingError(
            _("A photograph of this exam has writing, which could name the person. Choose another exam.")
        )
    truth = _truth_of(review, set(images.values_list("laterality", flat=True)))
    if not truth:
        raise TeachingError(_("This exam has no photograph with a signed finding. Choose another exam."))
    _add_version_if_read(locked)
    cases = TeachingCase.objects.filter(teaching_set=locked)
    if cases.filter(exam=exam, to_version__isnull=True).exists():
        raise TeachingError(_("This exam is in the set already."))
    if cases.filter(to_version__isnull=True).count() >= MAX_CASES:
        text = ngettext("A teaching set has at most %(n)d exam.", "A teaching set has at most %(n)d exams.", MAX_CASES)
        raise TeachingError(text % {"n": MAX_CASES})
    number = (cases.aggregate(last=Max("number"))["last"] or 0) + 1
    case = TeachingCase.objects.create(
        teaching_set=locked, exam=exam, review=review, number=number, from_version=locked.version, truth=truth,
        added_by=by,
    )  # fmt: skip
    _record(locked, "added", by, case)
    return case


@transaction.atomic
def remove_teaching_case(*, case: TeachingCase, by: User) -> None:
    """Leave an exam out of the next version; its readings stay. Raises AccessDenied, TeachingError."""
    locked = _lock_set(case.teaching_set, by)
    row = TeachingCase.objects.filter(pk=case.pk, to_version__isnull=True).first()
    if row is None:
        raise TeachingError(_("This exam is not in the set any more."))
    row.to_version = locked.version
    _add_version_if_read(locked)
    row.save(update_fields=["to_version"])
    _record(locked, "removed", by, row)


@transaction.atomic
def archive_teaching_set(*, teaching_set: TeachingSet, is_archived: bool, by: User) -> None:
    """Take a set out of use, or back into use. Raises AccessDenied."""
    locked = _lock_set(teaching_set, by, is_for_archive=True)
    locked.archived_at = timezone.now() if is_archived else None
    locked.save(update_fields=["archived_at"])
    _record(locked, "archived" if is_archived else "restored", by)


@transaction.atomic
def record_teaching_readings(
    *, case: TeachingCase, findings: Mapping[Laterality, Finding], by: User
) -> list[TeachingReading]:
    """Store what ``by`` found in each eye with a photograph, once. Raises AccessDenied, TeachingError, ReviewError."""
    locked = TeachingSet.objects.select_for_update().select_related("site").get(pk=case.teaching_set_id)
    require(by, Action.READ_TEACHING_SET, locked.site)
    current = cases_to_read(locked, by).select_related("exam").filter(pk=case.pk).first()
    if current is None or current.exam is None or locked.archived_at is not None:
        raise TeachingError(_("This exam is not read any more. Go on with the next one."))
    if set(findings) != {Laterality(eye) for eye in current.truth}:
        raise TeachingError(_("Grade each eye that has a photograph."))
    if current.readings.filter(reader=by).exists():
        raise TeachingError(_("You have read this exam already. A reading of a teaching set is not changed."))
    rows = []
    for eye, finding in findings.items():
        require_own_photos(current.exam, eye, {mark.image_id for mark in finding.marks})
        rows.append(_reading(current, eye, finding, by))
    TeachingReading.objects.bulk_create(rows)
    record_event(verb=AuditEvent.Verb.TEACHING_CASE_READ, subject=current, site=locked.site, by=by)
    return rows


def _reading(case: TeachingCase, eye: Laterality, finding: Finding, by: User) -> TeachingReading:
    return TeachingReading(
        case=case,
        reader=by,
        laterality=eye.value,
        grade=finding.grade,
        macular_oedema=finding.macular_oedema,
        lesions=finding.structured.columns()["lesions"],
        marks=write_marks(finding.marks),
    )


def _truth_of(review: Review, photographed: set[str]) -> dict[str, Any]:
    """Signed grade and macular oedema of each eye with a photograph."""
    return {
        one.laterality: {"grade": one.grade, "macular_oedema": one.macular_oedema}
        for one in review.findings.all()
        if one.is_photographed and not one.is_absent and one.laterality in photographed
    }


def _lock_set(teaching_set: TeachingSet, by: User, *, is_for_archive: bool = False) -> TeachingSet:
    locked = TeachingSet.objects.select_for_update().select_related("site").get(pk=teaching_set.pk)
    require(by, Action.MANAGE_SITE, locked.site)
    if locked.archived_at is not None and not is_for_archive:
        raise TeachingError(_("This teaching set is archived. Take it back into use to change it."))
    return locked


def _add_version_if_read(locked: TeachingSet) -> None:
    """Begin another version if a reader has begun to read the present one."""
    since = TeachingReading.objects.filter(case__teaching_set=locked, case__to_version__isnull=True)
    if since.exists():
        locked.version += 1
        locked.save(update_fields=["version"])


def _record(teaching_set: TeachingSet, change: str, by: User, case: TeachingCase | None = None) -> None:
    data: dict[str, str | float | bool | None] = {"change": change, "version": teaching_set.version}
    if case is not None:
        data["case"] = str(case.pk)
    record_event(
        verb=AuditEvent.Verb.TEACHING_SET_CHANGED, subject=teaching_set, site=teaching_set.site, data=data, by=by
    )
