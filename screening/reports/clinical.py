"""The clinical report of a signed review: its data, its text, its files."""

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.labels.documents import Standing
from screening.labels.eyes import LATERALITY_LABELS
from screening.labels.heatmaps import HeatmapLayer, heatmap_text
from screening.labels.lesions import lesion_text
from screening.labels.scales import MACULOPATHY_LABELS, PHOTOCOAGULATION_LABELS, RETINOPATHY_LABELS
from screening.labels.sentences import with_label
from screening.models import Correction, Document, Exam, EyeFinding, FundusImage, Grading, Review, VisualAcuity
from screening.models.gradings import current_first
from screening.policy import GradingScale, Maculopathy, Photocoagulation, Retinopathy
from screening.policy.lesions import OTHER_DISEASES, Lesion
from screening.reports.photographs import small_photograph, with_heatmap
from screening.reports.typesetting import without_bad_breaks
from screening.selectors.exams import EyeDetail, ImageWithGrading
from screening.selectors.reviews import reviews_with_findings
from screening.services.exams import ExamError

TEMPLATE = "screening/reports/clinical.html"
_MOVED = (Correction.Kind.EXAM_MOVED, Correction.Kind.IMAGE_MOVED)


class ReportRefused(ExamError):
    """No report can be made of this review. The message is for the user."""


class DataChanged(Exception):
    """The data are not those for which the document was requested."""


@dataclass(frozen=True, slots=True)
class EyeOfReport:
    """What the report has about one eye. ``image`` is the photograph that is printed; None without one."""

    laterality: Laterality
    finding: EyeFinding | None
    acuity: VisualAcuity | None
    image: FundusImage | None
    grading: Grading | None
    exam: Exam
    scale: GradingScale

    @property
    def label(self) -> str:
        return str(LATERALITY_LABELS[self.laterality])

    @property
    def is_read(self) -> bool:
        """Whether a photograph of it was read."""
        return self.finding is not None and self.finding.is_photographed and not self.finding.is_absent

    @property
    def no_photo_reason(self) -> str:
        """Why it has no photograph, in the active language; empty with one, and if no reason was given."""
        if self.image is not None:
            return ""
        if self.is_read:
            return _("The photograph was withdrawn from this exam after the signature.")
        exam, eye = self.exam, self.laterality
        return exam.absent_reason(eye) or exam.unobtainable_text(eye) or exam.not_photographed_reason(eye)

    @property
    def photo(self) -> str:
        """The name of its photograph among the files of the document."""
        return f"photo-{self.laterality.lower()}"

    @property
    def heatmap(self) -> str:
        """The name of its heatmap among the files of the document."""
        return f"heatmap-{self.laterality.lower()}"

    @property
    def heatmap_text(self) -> str:
        """The heatmap in words; empty without one."""
        grading = self.grading
        if grading is None or grading.heatmap is None or grading.heatmap_box is None:
            return ""
        return heatmap_text(HeatmapLayer.GRADE, grading.heatmap, grading.heatmap_box)

    @property
    def lesion_texts(self) -> list[str]:
        """The structured findings in words, without other disease, which has its own line."""
        return self._lesion_texts(is_other=False)

    @property
    def other_disease_texts(self) -> list[str]:
        """Other disease that was ticked, in words."""
        return self._lesion_texts(is_other=True)

    @property
    def written_disease(self) -> str:
        """Other disease as it was written."""
        return "" if self.finding is None else self.finding.other_disease

    def _lesion_texts(self, *, is_other: bool) -> list[str]:
        lesions = {} if self.finding is None else self.finding.lesions
        codes = ((Lesion(code), value) for code, value in lesions.items())
        return [lesion_text(code, value) for code, value in codes if (code in OTHER_DISEASES) == is_other]

    @property
    def grade_texts(self) -> list[str]:
        """The grades in the scale of the site, in words: "R1: Background". Empty in ICDR."""
        if self.finding is None or not self.finding.retinopathy:
            return []
        r, m, p = self.finding.retinopathy, self.finding.maculopathy, self.finding.photocoagulation
        texts = [with_label(r, RETINOPATHY_LABELS[self.scale][Retinopathy(r)])]
        texts += [with_label(m, MACULOPATHY_LABELS[self.scale][Maculopathy(m)])] if m else []
        return [*texts, *([with_label(p, PHOTOCOAGULATION_LABELS[Photocoagulation(p)])] if p else [])]


@dataclass(frozen=True, slots=True)
class Model:
    """Name, version and the first letters of the hash of a model, as a grading stores them."""

    name: str
    version: str
    weights: str


@dataclass(frozen=True, slots=True)
class Report:
    """The data of a report. ``readings``: who made first readings, and the time of the last one of each."""

    review: Review
    eyes: tuple[EyeOfReport, ...]
    standing: Standing
    readings: tuple[tuple[str, datetime], ...]
    models: tuple[Model, ...]
    has_heatmaps: bool
    replaced: Review | None = None
    replaced_by: Review | None = None
    exam: Exam = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exam", self.review.exam)

    def html(self, document: Document | None = None) -> str:
        """The text in the active language. Without a document: without what differs between two of the same data."""
        context: dict[str, Any] = {"report": self, "document": document, "language": translation.get_language()}
        context["is_rtl"] = translation.get_language_bidi()
        if document is not None:
            made_at = document.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            context |= {"address": check_address(document.pk), "made_at": made_at}
        return without_bad_breaks(render_to_string(TEMPLATE, context))

    def data_sha256(self) -> str:
        """Hash of all that the report contains, without its id and date: in English, the same for each language."""
        with translation.override("en"):
            text = self.html()
        shown = [(one.image.pk, one.grading and one.grading.pk) for one in self.eyes if one.image is not None]
        return hashlib.sha256(f"{text}{shown}".encode()).hexdigest()

    def assets(self, document: Document) -> dict[str, bytes]:
        """The files of the document. Raises PhotographUnreadable, DecoderUnavailable."""
        files = {"qr": qr_code(check_address(document.pk))}
        if document.letterhead is not None and document.letterhead.logo:
            files["logo"] = bytes(document.letterhead.logo)
        for eye in self.eyes:
            if eye.image is not None:
                files[eye.photo] = small_photograph(eye.image.file)
                if self.has_heatmaps and eye.heatmap_text and eye.grading is not None:
                    heatmap, box = eye.grading.heatmap, eye.grading.heatmap_box or ()
                    files[eye.heatmap] = with_heatmap(files[eye.photo], heatmap, box)
        return files


def check_address(document_id: uuid.UUID) -> str:
    """The public page on which a file is compared with a document; printed on it, as text and as QR code."""
    return f"{settings.PUBLIC_URL}{reverse('screening:document-check', args=[document_id])}"


def qr_code(text: str) -> bytes:
    """A QR code as PNG, readable if 15 % of it are damaged (level M)."""
    out = BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", scale=6, border=4)
    return out.getvalue()


def report_of(review_id: uuid.UUID, *, has_heatmaps: bool) -> Report:
    """The data of the report of a signed review, with what its signer had at hand. NB: check the access before.

    Raises ReportRefused for a review whose exam or photographs were moved to another patient since, which is not about
    the patient of the exam, and while the exam needs another reader: then its result is not final.
    """
    rows = reviews_with_findings().select_related("exam__site", "exam__patient", "amends__reviewer")
    review = rows.get(pk=review_id)
    exam = review.exam
    is_valid = review.reading_round == exam.reading_round
    moves = Correction.objects.filter(exam=exam, kind__in=_MOVED, created_at__gte=review.signed_at)
    if not is_valid and moves.exists():
        raise ReportRefused(_("This result was signed for another patient or other photographs: it has no report."))
    if is_valid and exam.status != Exam.Status.SIGNED:
        raise ReportRefused(_("This exam needs another reading. A report is made of the final result."))
    newer = review.amendments.select_related("reviewer").first()
    images = _images(review)
    standing = Standing.CURRENT if is_valid else Standing.IN_ERROR
    return Report(
        review=review,
        eyes=tuple(_eye(review, eye, images) for eye in Laterality),
        standing=Standing.SUPERSEDED if newer is not None else standing,
        readings=_readings(review),
        models=_models(images),
        has_heatmaps=has_heatmaps,
        replaced=review.amends,
        replaced_by=newer,
    )


def _images(review: Review) -> list[ImageWithGrading]:
    """Photographs in use that were there at the signature, each with its current grading of that time."""
    images = FundusImage.objects.filter(
        exam=review.exam_id, withdrawn_at__isnull=True, created_at__lte=review.signed_at
    )
    gradings = current_first(
        Grading.objects.filter(image__in=images, status=Grading.Status.DONE, finished_at__lte=review.signed_at)
    )
    current: dict[uuid.UUID, Grading] = {}
    for grading in gradings:
        current.setdefault(grading.image_id, grading)
    return [ImageWithGrading(one, current.get(one.pk)) for one in images.order_by("created_at", "pk")]


def _eye(review: Review, eye: Laterality, images: list[ImageWithGrading]) -> EyeOfReport:
    exam = review.exam
    finding = next((one for one in review.findings.all() if one.laterality == eye), None)
    detail = EyeDetail(eye, "", "", tuple(one for one in images if one.image.laterality == eye))
    row = EyeOfReport(eye, finding, _acuity(review, eye), None, None, exam, GradingScale(review.scale))
    shown = detail.decisive_image if row.is_read else None
    return row if shown is None else replace(row, image=shown.image, grading=shown.grading)


def _acuity(review: Review, eye: Laterality) -> VisualAcuity | None:
    """The newest acuity of the eye at this visit, until the next review of the exam was signed."""
    acuities = review.exam.acuities.filter(laterality=eye).order_by("-created_at", "pk")
    following = review.exam.reviews.filter(signed_at__gt=review.signed_at).order_by("signed_at").first()
    return acuities.filter(created_at__lt=following.signed_at).first() if following else acuities.first()


def _readings(review: Review) -> tuple[tuple[str, datetime], ...]:
    rows = review.exam.first_readings.filter(
        reading_round=review.reading_round, created_at__lte=review.signed_at
    ).select_related("reviewer")
    times: dict[str, datetime] = {}
    for row in rows.order_by("created_at"):
        times[str(row.reviewer)] = row.created_at
    return tuple(times.items())


def _models(images: list[ImageWithGrading]) -> tuple[Model, ...]:
    versions = dict.fromkeys(one.grading.model_version for one in images if one.grading is not None)
    models = []
    for text in versions:
        named, _plus, weights = text.partition("+")
        name, _dash, version = named.rpartition("-")
        models.append(Model(name, version, weights))
    return tuple(models)
