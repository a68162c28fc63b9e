"""Letters to the people of a list: who gets one, progress, cancelling, contacts, the files."""

import datetime
import hashlib
import uuid
import zipfile
from functools import partial
from io import BytesIO
from typing import Any

import pypdf
import pytest
from django.utils import timezone

from screening import tasks
from screening.health.checks import HealthCheckError
from screening.health.programme import check_letters
from screening.models import AuditEvent, ContactAttempt, Document, LetterBatch, Patient, Site, User
from screening.policy.letters import LetterReason, LetterVariant
from screening.reports import letter_batches, making
from screening.reports.letter_batches import plan_due_letters, plan_referral_letters, plan_result_letters
from screening.reports.letters import LetterRefused
from screening.selectors.due_list import DueFilters
from screening.selectors.referrals import ReferralFilters
from screening.selectors.results import ResultFilters
from screening.services import documents, letter_files
from screening.services import letter_batches as batches
from screening.services.letter_batches import BatchRefused, begin_batch, cancel_batch
from tests.screening.factories import GradingFactory, PatientFactory, ReferralFactory, ReviewFactory
from tests.screening.reports.golden import GOLDEN, letterhead

Kind = Document.Kind
ADDRESS = "7 Mill Lane\nHarbour Town"


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Ids of the batches whose task was sent."""
    ids: list[uuid.UUID] = []
    monkeypatch.setattr(documents, "publish", lambda _id: pytest.fail("a letter of a batch is made by its task"))
    monkeypatch.setattr(batches, "publish", ids.append)
    return ids


def overdue(site: Site, **values: Any) -> Patient:
    day = timezone.localdate() - datetime.timedelta(days=60)
    fields = {"postal_address": ADDRESS, "due_on": day, "next_step_on": day, **values}
    return PatientFactory(site=site, **fields)


def begun(site: Site, by: User, variant: LetterVariant = LetterVariant.STANDARD) -> LetterBatch:
    planned = plan_due_letters(site=site, filters=DueFilters(), by=by)
    return begin_batch(site=site, letters=planned.rows, variant=variant, batch_id=uuid.uuid4(), by=by)


def test_the_due_list_has_letters_for_people_with_a_step_and_an_address(site: Site, manager: User) -> None:
    overdue(site)
    overdue(site, postal_address="")
    overdue(site, register_status="deceased")
    overdue(site, next_step_on=timezone.localdate() + datetime.timedelta(days=30))
    planned = plan_due_letters(site=site, filters=DueFilters(), by=manager)
    assert planned.n_letters == 1
    assert planned.reasons == {
        LetterReason.NOT_INVITED: 1,
        LetterReason.NOTHING_TO_DO: 1,
        LetterReason.NO_ADDRESS: 1,
    }


@pytest.mark.usefixtures("no_engine")
def test_letters_are_made_stored_and_recorded_as_contacts(
    site: Site, manager: User, published: list[uuid.UUID]
) -> None:
    people = [overdue(site) for _ in range(3)]
    batch = begun(site, manager)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.letters.filter(document__isnull=False).count()) == ("done", 3)
    contacts = ContactAttempt.objects.filter(patient__in=people)
    assert set(contacts.values_list("kind", "channel", "result")) == {("invitation", "letter", "sent")}
    assert contacts.count() == 3
    with zipfile.ZipFile(batch.archive.open()) as archive:
        names = {f"{pk}.pdf" for pk in Document.objects.values_list("pk", flat=True)}
        assert set(archive.namelist()) == names
    assert len(pypdf.PdfReader(batch.pdf.open()).pages) == 6  # an empty back of each
    made = AuditEvent.objects.get(verb=AuditEvent.Verb.LETTERS_MADE)
    assert made.data["n_made"] == 3
    tasks.make_letters(str(batch.pk))  # delivered twice
    assert ContactAttempt.objects.count() == 3
    assert plan_due_letters(site=site, filters=DueFilters(), by=manager).n_letters == 0


@pytest.mark.usefixtures("no_engine")
def test_a_cancelled_batch_stops_and_records_no_contact(
    site: Site, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        overdue(site)
    batch = begun(site, manager)
    make = letter_batches._make

    def make_one(*args: Any) -> None:
        make(*args)
        cancel_batch(batch=batch, by=manager)

    monkeypatch.setattr(letter_batches, "_make", make_one)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, bool(batch.pdf), Document.objects.count()) == ("cancelled", False, 1)
    assert not ContactAttempt.objects.exists()
    with pytest.raises(BatchRefused, match="cannot be cancelled"):
        cancel_batch(batch=batch, by=manager)


@pytest.mark.usefixtures("no_engine")
def test_a_long_batch_goes_on_in_another_task(
    site: Site, manager: User, published: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        overdue(site)
    batch = begun(site, manager)
    monkeypatch.setattr(letter_batches, "SLICE_S", -1)
    tasks.make_letters(str(batch.pk))
    assert published == [batch.pk]
    assert batch.letters.filter(document__isnull=False).count() == 1
    monkeypatch.setattr(letter_batches, "SLICE_S", 300)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.n_attempts) == ("done", 1)


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(("is_bulk", "n_made"), [(False, 1), (True, 2)])
def test_letters_wait_for_a_photograph_unless_it_is_bulk(
    site: Site, manager: User, published: list[uuid.UUID], is_bulk: bool, n_made: int
) -> None:
    overdue(site)
    overdue(site)
    batch = begun(site, manager)
    GradingFactory(status="queued", is_bulk=is_bulk, published_at=timezone.now())
    tasks.make_letters(str(batch.pk))
    assert (batch.letters.filter(document__isnull=False).count(), published) == (n_made, [] if is_bulk else [batch.pk])


@pytest.mark.usefixtures("no_engine")
def test_a_batch_of_a_worker_that_crashed_is_continued_and_at_last_fails(site: Site, manager: User) -> None:
    overdue(site)
    batch = begun(site, manager)
    before = timezone.now() - datetime.timedelta(hours=1)
    LetterBatch.objects.filter(pk=batch.pk).update(state="running", worked_at=before, n_attempts=3)
    assert batches.requeue_stale_batches() == 1
    batch.refresh_from_db()
    assert batch.state == "queued"
    LetterBatch.objects.filter(pk=batch.pk).update(worked_at=before, n_attempts=batches.MAX_ATTEMPTS)
    batches.requeue_stale_batches()
    batch.refresh_from_db()
    assert batch.state == "failed"


@pytest.mark.usefixtures("no_engine")
def test_a_letter_that_fails_is_left_out_and_the_others_are_made(
    site: Site, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, merged = overdue(site), overdue(site, given_name="Failing"), overdue(site)
    batch = begun(site, manager)
    Patient.objects.filter(pk=merged.pk).update(merged_into=good)
    render = vars(making)["render_pdf"]

    def fail(html: str, **more: Any) -> bytes:
        if "Failing" in html:
            raise MemoryError
        return bytes(render(html, **more))

    monkeypatch.setattr(making, "render_pdf", fail)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    reasons = dict(batch.letters.values_list("patient", "reason"))
    assert (batch.state, reasons) == ("done", {good.pk: "", bad.pk: "failed", merged.pk: "refused"})
    assert ContactAttempt.objects.count() == 1


def test_a_second_batch_waits_and_a_repeated_form_is_the_same(site: Site, manager: User) -> None:
    overdue(site)
    planned = plan_due_letters(site=site, filters=DueFilters(), by=manager)
    values: dict[str, Any] = {"site": site, "variant": LetterVariant.STANDARD, "by": manager}
    batch = begin_batch(letters=planned.rows, batch_id=uuid.uuid4(), **values)
    assert begin_batch(letters=planned.rows, batch_id=batch.pk, **values) == batch
    with pytest.raises(BatchRefused, match="are being made"):
        begin_batch(letters=planned.rows, batch_id=uuid.uuid4(), **values)


@pytest.mark.usefixtures("no_engine")
def test_results_have_letters_once_and_not_to_the_deceased(site: Site, manager: User) -> None:
    for name, status in (("negative", "eligible"), ("arabic", "deceased"), ("chinese", "eligible")):
        review = GOLDEN[name](site)
        address = "" if name == "chinese" else ADDRESS
        Patient.objects.filter(pk=review.exam.patient_id).update(postal_address=address, register_status=status)
    filters = ResultFilters(site=site)
    planned = plan_result_letters(filters=filters, kind=Kind.RESULT_LETTER, by=manager)
    assert (planned.n_letters, planned.reasons) == (1, {LetterReason.DECEASED: 1, LetterReason.NO_ADDRESS: 1})
    variant = LetterVariant.LARGE_PRINT
    batch = begin_batch(site=site, letters=planned.rows, variant=variant, batch_id=uuid.uuid4(), by=manager)
    tasks.make_letters(str(batch.pk))
    assert Document.objects.get().variant == "large_print"
    assert not ContactAttempt.objects.exists()
    again = plan_result_letters(filters=filters, kind=Kind.RESULT_LETTER, by=manager)
    assert again.reasons[LetterReason.MADE_BEFORE] == 1


def test_an_earlier_result_has_no_letter(site: Site, manager: User) -> None:
    review = GOLDEN["negative"](site)
    Patient.objects.filter(pk=review.exam.patient_id).update(postal_address=ADDRESS)
    later = ReviewFactory(exam__patient=review.exam.patient)
    planned = plan_result_letters(filters=ResultFilters(site=site), kind=Kind.RESULT_LETTER, by=manager)
    assert {row.review: row.reason for row in planned.rows} == {later: "", review: LetterReason.LATER_RESULT}


def test_text_files_are_in_an_archive_without_a_pdf(site: Site, manager: User) -> None:
    overdue(site, given_name="Ada", family_name="Reader")
    batch = begun(site, manager, LetterVariant.PLAIN_TEXT)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, bool(batch.pdf)) == ("done", False)
    with zipfile.ZipFile(batch.archive.open()) as archive:
        assert archive.namelist() == [f"{Document.objects.get().pk}.txt"]
        assert "Dear Ada Reader," in archive.read(archive.namelist()[0]).decode()
    made = AuditEvent.objects.get(verb=AuditEvent.Verb.LETTERS_MADE)
    assert made.data["sha256"] == hashlib.sha256(batch.archive.open().read()).hexdigest()


@pytest.mark.usefixtures("no_engine")
def test_referrals_that_are_to_be_sent_have_a_letter_to_the_hospital_once(site: Site, manager: User) -> None:
    reviews = {name: GOLDEN[name](site) for name in ("chinese", "arabic")}
    to_send = ReferralFactory(exam=reviews["chinese"].exam, review=reviews["chinese"], site=site)
    ReferralFactory(exam=reviews["arabic"].exam, review=reviews["arabic"], site=site, state="sent")
    plan = partial(plan_referral_letters, site=site, filters=ReferralFilters(), by=manager)
    with pytest.raises(LetterRefused, match="address of the eye hospital is missing"):
        plan()
    letterhead(site, hospital_address="Eye Hospital")
    assert [row.review for row in plan().rows] == [to_send.review]
    assert not plan(exams=[reviews["arabic"].exam_id]).rows
    variant = LetterVariant.STANDARD
    batch = begin_batch(site=site, letters=plan().rows, variant=variant, batch_id=uuid.uuid4(), by=manager)
    tasks.make_letters(str(batch.pk))
    assert Document.objects.get().kind == Kind.REFERRAL_LETTER
    assert plan().reasons == {LetterReason.MADE_BEFORE: 1}
    to_send.refresh_from_db()
    assert to_send.state == "made"


@pytest.mark.usefixtures("no_engine")
def test_files_are_deleted_after_days_and_made_again(
    site: Site, manager: User, published: list[uuid.UUID], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(site)
    batch = begun(site, manager)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    first, names = batch.archive.open().read(), [str(batch.pdf), str(batch.archive)]
    assert batch.finished_at is not None
    assert batch.files_until == batch.finished_at + datetime.timedelta(days=7)
    tasks.delete_letter_files()
    assert batch.archive.storage.exists(names[1])
    settings.LETTER_FILES_DAYS = -2
    with pytest.raises(HealthCheckError, match="files of 1 batches"):
        check_letters()
    with monkeypatch.context() as failing:
        failing.setattr(batch.archive.storage, "delete", lambda _name: (_ for _ in ()).throw(OSError))
        assert letter_files.delete_expired_files() == 0
    assert [letter_files.delete_expired_files(), letter_files.delete_expired_files()] == [1, 0]
    check_letters()
    assert not any(batch.archive.storage.exists(name) for name in names)
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.LETTERS_FILES_DELETED).count() == 1
    batch.refresh_from_db()
    with pytest.raises(BatchRefused, match="were deleted"):
        letter_files.open_batch(batch=batch, is_archive=True, by=manager)
    letter_files.make_files_again(batch=batch, by=manager)
    with pytest.raises(BatchRefused, match="being made"):
        letter_files.make_files_again(batch=batch, by=manager)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.files_deleted_at) == ("done", None)
    with zipfile.ZipFile(batch.archive.open()) as again, zipfile.ZipFile(BytesIO(first)) as before:
        assert [again.read(name) for name in again.namelist()] == [before.read(name) for name in before.namelist()]
    assert ContactAttempt.objects.count() == 1
    with pytest.raises(BatchRefused, match="were not deleted"):
        letter_files.make_files_again(batch=batch, by=manager)


@pytest.mark.usefixtures("pango")
def test_each_letter_begins_on_the_front_of_a_sheet(site: Site, manager: User) -> None:
    for name in ("Ada", "Grace", "Mary"):
        overdue(site, given_name=name, family_name="Reader")
    batch = begun(site, manager, LetterVariant.LARGE_PRINT)
    tasks.make_letters(str(batch.pk))
    batch.refresh_from_db()
    pages = [page.extract_text() for page in pypdf.PdfReader(batch.pdf.open()).pages]
    first = [n for n, text in enumerate(pages) if "Dear" in text]
    assert len(first) == 3
    assert all(n % 2 == 0 for n in first)
