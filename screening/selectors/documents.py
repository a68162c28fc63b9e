"""Documents and letterheads: who sees them, and whether a document still holds."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.labels.documents import Standing
from screening.models import Document, Exam, LetterBatch, Letterhead, Patient, Review, Site, User
from screening.selectors.drafts import is_late_reader
from screening.selectors.earlier_results import is_earlier_unread
from screening.selectors.gradings import with_is_revealed
from screening.selectors.reviews import IN_FORCE

MAX_OF_EXAM = 50
"""The same data make one report: more are corrections of corrections."""


def list_documents(*, user: User) -> QuerySet[Document]:
    """Documents of the user's sites, newest first.

    Without those of an exam that a colleague signed while ``user`` was reading it, or that ``user`` reads again
    (``earlier_results``), and without heatmaps of a result of the model that ``user`` may not see: the rules for signed
    results and for the model's grade.
    """
    documents = restrict(Document.objects.select_related("site", "exam", "review", "requested_by"), user)
    documents = documents.exclude(is_earlier_unread(user, reading_round="review__reading_round"))
    documents = with_has_newer(documents.exclude(is_late_reader(user, exam="exam")))
    visible = with_is_revealed(documents, user, exam="exam")
    return visible.filter(Q(has_heatmaps=False) | Q(is_revealed=True)).order_by("-created_at", "pk")


def get_document(*, user: User, document_id: uuid.UUID) -> Document:
    """One of ``list_documents``. Raises Http404."""
    return get_object_or_404(list_documents(user=user), pk=document_id)


def get_exam_of_documents(*, user: User, exam_id: uuid.UUID) -> Exam:
    """The exam with its site and patient, for a user who may see who the patient is. Raises Http404."""
    return get_object_or_404(restrict(Exam.objects.select_related("site", "patient"), user), pk=exam_id)


def documents_of_exam(*, user: User, exam: Exam) -> QuerySet[Document]:
    """Documents about this exam and its present patient, newest first: after a move without those of before."""
    is_same = Q(patient=F("exam__patient")) | Q(patient__merged_into=F("exam__patient"))
    rows = list_documents(user=user).filter(is_same, exam=exam).prefetch_related("review__amendments")
    return rows[:MAX_OF_EXAM]


def documents_of_patient(*, user: User, patient: Patient) -> QuerySet[Document]:
    """All documents about a person, newest first, with those of records that were merged into this one."""
    is_same = Q(patient=patient) | Q(patient__merged_into=patient)
    return list_documents(user=user).filter(is_same).prefetch_related("review__amendments")


def standing_of(document: Document) -> Standing:
    """Whether a document of ``with_has_newer`` still holds: not if its review was amended, or there is a newer one."""
    review = document.review
    if review is None or document.exam is None:
        return Standing.CURRENT
    if review.amendments.all():
        return Standing.SUPERSEDED
    if review.reading_round != document.exam.reading_round:
        return Standing.IN_ERROR
    return Standing.SUPERSEDED if document.has_newer else Standing.CURRENT  # type: ignore[attr-defined]  # annotated


def with_has_newer(documents: QuerySet[Document]) -> QuerySet[Document]:
    """Annotate ``has_newer``: whether a newer document of the same kind has other data of the same review.

    The data of reports have one hash in all languages: one in another language counts too.
    """
    same = {name: OuterRef(name) for name in ("review", "kind", "has_heatmaps", "variant")}
    made = Document.objects.filter(**same, status=Document.Status.DONE, queued_at__gt=OuterRef("queued_at"))
    made = made.filter(Q(language=OuterRef("language")) | Q(kind=Document.Kind.CLINICAL_REPORT))
    return documents.annotate(has_newer=Exists(made.exclude(data_sha256=OuterRef("data_sha256"))))


def with_later_result(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Those of ``reviews`` whose patient has a result of a later exam: a letter about them would contradict it."""
    later = Review.objects.filter(
        IN_FORCE, exam__patient=OuterRef("exam__patient"), exam__created_at__gt=OuterRef("exam__created_at")
    )
    return reviews.filter(Exists(later))


def list_letter_batches(*, user: User, site: Site) -> QuerySet[LetterBatch]:
    """Letters that were made at once at a site, newest first."""
    rows = _with_made(restrict(LetterBatch.objects.filter(site=site), user))
    return rows.select_related("site", "created_by").order_by("-created_at", "pk")


def get_letter_batch(*, user: User, batch_id: uuid.UUID) -> LetterBatch:
    """Letters that were made at once. Raises Http404."""
    rows = _with_made(restrict(LetterBatch.objects.select_related("site", "created_by"), user))
    return get_object_or_404(rows, pk=batch_id)


def _with_made(batches: QuerySet[LetterBatch]) -> QuerySet[LetterBatch]:
    """Annotate ``n_made``: the letters that are made."""
    return batches.annotate(n_made=Count("letters", filter=Q(letters__document__isnull=False)))


def batches_with_expired_files(at: datetime) -> QuerySet[LetterBatch]:
    """Letters that were made at once, whose files were to be deleted at a moment or before."""
    before = at - timedelta(days=settings.LETTER_FILES_DAYS)
    return LetterBatch.objects.filter(finished_at__lte=before).exclude(archive="").order_by("finished_at", "pk")


def count_letters(batch: LetterBatch) -> dict[str, int]:
    """How many letters of a batch are made, under an empty text, and how many people get none for each reason."""
    ended = batch.letters.filter(Q(document__isnull=False) | ~Q(reason="")).order_by()
    return dict(ended.values_list("reason").annotate(n=Count("pk")))


def letterhead_of(site: Site) -> Letterhead | None:
    """The letterhead in force; None if the site has none: then its name stands at the head."""
    return Letterhead.objects.filter(site=site).select_related("created_by").first()
