"""Drafts of readings: saved, seen by their writer only, deleted on signing and after seven days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FirstReading, ReadingDraft, Site, User
from screening.policy import MacularOedema
from screening.selectors import get_draft, get_exam
from screening.services.drafts import (
    AlreadyStored,
    NewerDraft,
    delete_old_drafts,
    discard_draft,
    save_draft,
)
from screening.services.exams import ExamError
from screening.services.reviews import Finding, record_first_readings, sign_review
from screening.tasks import delete_old_drafts as delete_old_drafts_task
from tests.screening.factories import ExamFactory, FundusImageFactory, MembershipFactory

Save = Callable[..., ReadingDraft]
ENTRIES = {"OD-verdict": "2", "note": "Cotton wool spot"}


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


@pytest.fixture
def colleague(site: Site) -> User:
    return MembershipFactory(site=site, role="reviewer").user


@pytest.fixture
def save(exam: Exam, reviewer: User) -> Save:
    """Saves a draft of the reviewer; keywords change the arguments."""

    def call(entries: dict[str, str] | None = None, **changes: Any) -> ReadingDraft:
        values = {"base_review": None, "page_version": "p", "version": 0, "by": reviewer}
        return save_draft(exam=exam, entries=ENTRIES if entries is None else entries, **{**values, **changes})

    return call


def findings() -> dict[Laterality, Finding]:
    return {eye: Finding(laterality=eye, grade=ICDRGrade.MILD, macular_oedema=MacularOedema.NONE) for eye in Laterality}


def test_a_draft_comes_back_to_its_writer_only(save: Save, exam: Exam, reviewer: User, colleague: User) -> None:
    save()
    draft = get_draft(user=reviewer, exam=exam)
    assert draft is not None
    assert draft.entries == ENTRIES
    assert get_draft(user=colleague, exam=exam) is None
    assert get_draft(user=User.objects.create_superuser("root"), exam=exam) is None


def test_no_draft_is_in_the_administration_panel() -> None:
    assert not admin.site.is_registered(ReadingDraft)


def test_the_automatic_saves_of_a_draft_are_one_event(save: Save, exam: Exam) -> None:
    version = 0
    for note in ("C", "Co", "Cotton", "Cotton wool"):
        version = save({"note": note}, version=version).version
    assert version == 4
    event = AuditEvent.objects.get(verb="draft.saved")
    assert event.data == {"exam": str(exam.pk)}


def test_an_older_tab_does_not_replace_a_newer_draft_in_silence(save: Save, reviewer: User, exam: Exam) -> None:
    save({"note": "first"})
    save({"note": "second tab"}, version=1)
    with pytest.raises(NewerDraft):
        save({"note": "first tab"}, version=1)
    assert ReadingDraft.objects.get().entries == {"note": "second tab"}
    assert save({"note": "second tab"}, version=1).version == 2  # the same entries replace nothing
    assert save({"note": "first tab"}, version=None).entries == {"note": "first tab"}


def test_a_page_that_got_no_answer_replaces_its_own_entries(save: Save) -> None:
    save({"note": "a"}, page_id="one")
    assert save({"note": "ab"}, page_id="one", version=0).entries == {"note": "ab"}
    with pytest.raises(NewerDraft):
        save({"note": "b"}, page_id="two", version=0)


def test_a_draft_is_no_first_reading(save: Save, exam: Exam, reviewer: User) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    save({f"{eye}-verdict": "0" for eye in Laterality})
    assert not FirstReading.objects.exists()
    assert not get_exam(user=reviewer, exam_id=exam.pk).is_model_revealed


def test_a_signature_deletes_the_draft_of_the_signer(save: Save, exam: Exam, reviewer: User, colleague: User) -> None:
    save()
    save(by=colleague)
    sign_review(exam=exam, findings=findings(), by=reviewer)
    assert ReadingDraft.objects.get().reviewer == colleague
    with pytest.raises(AlreadyStored):  # a save that arrives late
        save()


def test_a_stored_first_reading_leaves_the_note_of_the_draft(save: Save, exam: Exam, reviewer: User) -> None:
    save()
    record_first_readings(exam=exam, findings=findings(), by=reviewer)
    assert ReadingDraft.objects.get().entries == {"note": ENTRIES["note"]}
    with pytest.raises(AlreadyStored):
        save(is_first_reading=True)
    save({"OD-verdict": "2"}, version=None)
    record_first_readings(exam=exam, findings=findings(), by=reviewer)
    assert ReadingDraft.objects.get().entries == {}
    save({"note": "after the model's grade was shown"}, version=None)
    assert AuditEvent.objects.filter(verb="draft.saved").count() == 1


def test_a_draft_older_than_seven_days_is_not_shown_and_deleted(save: Save, exam: Exam, reviewer: User) -> None:
    save()
    ReadingDraft.objects.update(updated_at=timezone.now() - timedelta(days=6, hours=23))
    assert delete_old_drafts() == 0
    ReadingDraft.objects.update(updated_at=timezone.now() - timedelta(days=7, minutes=1))
    assert get_draft(user=reviewer, exam=exam) is None
    assert save({"note": "new"}).version == 1
    ReadingDraft.objects.update(updated_at=timezone.now() - timedelta(days=8))
    delete_old_drafts_task()
    assert not ReadingDraft.objects.exists()


def test_old_drafts_are_deleted_by_a_periodic_task(settings: Any) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["delete-old-drafts"]["task"] == delete_old_drafts_task.name


def test_a_draft_is_discarded_by_its_writer_only(save: Save, exam: Exam, reviewer: User, colleague: User) -> None:
    save()
    discard_draft(exam=exam, by=colleague)
    assert ReadingDraft.objects.exists()
    discard_draft(exam=exam, by=reviewer)
    assert not ReadingDraft.objects.exists()
    assert AuditEvent.objects.filter(verb="draft.discarded").count() == 1


def test_only_a_reviewer_of_the_site_has_drafts(
    save: Save, exam: Exam, photographer: User, manager: User, outsider: User
) -> None:
    for user in (photographer, manager, outsider):
        with pytest.raises(AccessDenied):
            save(by=user)
        with pytest.raises(AccessDenied):
            discard_draft(exam=exam, by=user)
    assert not ReadingDraft.objects.exists()


def test_a_text_that_is_far_too_long_is_refused(save: Save) -> None:
    with pytest.raises(ExamError, match="4000"):
        save({"note": "x" * 4001})
