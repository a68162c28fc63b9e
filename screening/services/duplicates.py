"""Duplicates: stored photographs that are the same file, or the same picture, as another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Count, QuerySet, Value

from ml.errors import GradingError
from ml.perceptual_hash import MAX_DIFFERENT_BITS, PictureHash, band_values, hash_flips, n_different_bits, probe_values
from ml.picture_correlation import MIN_CERTAIN_CORRELATION, MIN_LOCAL_CORRELATION, is_same_picture
from screening.access import Action, restrict, sites_for
from screening.models import Exam, FundusImage, PerceptualHash, PerceptualHashBand, User
from screening.photos.decode_lock import large_image_lock
from screening.photos.validation import ValidPhoto
from screening.selectors.gradings import hidden_from

_MAX_CORRELATED = 20
"""Photographs whose crops are compared: those with the most similar hashes. Each takes a millisecond."""
_MAX_CANDIDATES = 1000
"""Photographs whose hashes are compared: 3 to 7 in 100 of a site have a band in common. Copies have most of them."""
_WITHDRAWN_AS_WRONG = (FundusImage.WithdrawnCode.WRONG_EYE, FundusImage.WithdrawnCode.WRONG_PATIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a photograph is compared by. ``hashes``: its own, then others to search with.

    There are none for a photograph without detail: only its bytes are compared.
    """

    sha256: str
    hashes: tuple[PictureHash, ...]


def content_of(photo: ValidPhoto, *, sha256: str) -> Content:
    """What a validated photograph is compared by."""
    with large_image_lock(photo.width_px * photo.height_px):
        return Content(sha256=sha256, hashes=_hashes_of(photo.cleaned))


def stored_content(image: FundusImage) -> Content:
    """What a stored photograph is compared by."""
    row = PerceptualHash.objects.filter(image=image).first()
    return Content(sha256=image.sha256, hashes=(_stored_hash(row),) if row is not None and row.bits else ())


def store_hash(image: FundusImage, content: Content) -> None:
    """Store what ``image`` is found by, in the caller's transaction."""
    found = next(iter(content.hashes), None)
    PerceptualHash.objects.create(
        image=image, bits=b"" if found is None else found.bits, crop=b"" if found is None else found.crop
    )
    if found is not None:
        bands = (
            PerceptualHashBand(image=image, site_id=image.exam.site_id, value=value) for value in band_values(found)
        )
        PerceptualHashBand.objects.bulk_create(bands)


def find_in_exam(*, image: FundusImage, content: Content, without_eye: str) -> FundusImage | None:
    """Another photograph in use in the exam of ``image`` that is certainly the same picture, not of ``without_eye``."""
    images = FundusImage.objects.filter(exam=image.exam_id, withdrawn_at__isnull=True)
    images = images.exclude(pk=image.pk).exclude(laterality=without_eye)
    return _same_file(images, content) or _same_picture(images, content, MIN_CERTAIN_CORRELATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Stored photographs that a new one is compared with.

    ``same``: the same file in use for the same eye of the exam. ``other_eyes``: in use for the other eye of the exam.
    ``other_patients``: in exams of other patients of the site, without those that were withdrawn because they were of
    the wrong eye or patient; only those with the same file or with a band in common, which an index finds.
    """

    same: FundusImage | None
    other_eyes: "list[_Candidate]"
    other_patients: "list[_Candidate]"


class _Candidate(NamedTuple):
    created_at: datetime
    pk: UUID
    sha256: str
    bits: bytes | None
    laterality: str
    is_in_exam: bool


def find_stored(*, image: FundusImage, content: Content) -> Stored:
    """What ``image``, which is not stored yet, is compared with. One query, and one if it has ``same``."""
    exam = image.exam
    in_exam = FundusImage.objects.filter(exam=exam.pk, withdrawn_at__isnull=True)
    others = FundusImage.objects.exclude(exam__patient=exam.patient_id).exclude(withdrawn_code__in=_WITHDRAWN_AS_WRONG)
    found = _candidates(in_exam, is_in_exam=True).union(
        _candidates(others.filter(exam__site=exam.site_id, sha256=content.sha256), is_in_exam=False),
        _candidates(others.filter(pk__in=_by_bands(content, site=exam.site_id)), is_in_exam=False),
        all=True,
    )
    rows = {row[1]: _Candidate(*row) for row in found}.values()
    of_exam = [row for row in rows if row.is_in_exam]
    same = next((row for row in of_exam if (row.sha256, row.laterality) == (content.sha256, image.laterality)), None)
    return Stored(
        same=None if same is None else FundusImage.objects.get(pk=same.pk),
        other_eyes=[row for row in of_exam if row.laterality != image.laterality],
        other_patients=[row for row in rows if not row.is_in_exam],
    )


def _by_bands(content: Content, **sites: Any) -> QuerySet[PerceptualHashBand, Any]:
    """Ids of photographs of ``sites`` that have bands in common, those with most of them, at most _MAX_CANDIDATES.

    NB: with its limit a database finds these first. Without, it may ask it of each photograph of the site.
    """
    values = {value for one in content.hashes for value in probe_values(one)}
    bands = PerceptualHashBand.objects.filter(**sites, value__in=values)
    return bands.values("image").annotate(n=Count("pk")).order_by("-n", "image").values("image")[:_MAX_CANDIDATES]


def _candidates(images: QuerySet[FundusImage], *, is_in_exam: bool) -> QuerySet[FundusImage, Any]:
    columns = ("created_at", "pk", "sha256", "perceptual_hash__bits", "laterality")
    return images.order_by().values_list(*columns, Value(is_in_exam, output_field=BooleanField()))


def same_in_exam(stored: Stored, content: Content) -> FundusImage | None:
    """A photograph of the other eye that is certainly the same picture. No query unless a hash is near."""
    return _same(stored.other_eyes, content, MIN_CERTAIN_CORRELATION)


def same_of_other_patient(stored: Stored, content: Content) -> FundusImage | None:
    """A photograph of another patient that is the same picture. No query unless a hash is near."""
    return _same(stored.other_patients, content, MIN_LOCAL_CORRELATION)


def _same(rows: list[_Candidate], content: Content, min_correlation: float) -> FundusImage | None:
    newest = max((row for row in rows if row.sha256 == content.sha256), default=None)
    if newest is not None:
        return FundusImage.objects.select_related("exam").get(pk=newest.pk)
    hashes = [(row.pk, bytes(row.bits)) for row in rows if row.bits]
    return next(_nearest_pictures(hashes, content, min_correlation), None)


def hash_missing() -> int:
    """Store the hashes of photographs that have none, one by one. Returns how many it stored."""
    n_stored = 0
    without = FundusImage.objects.filter(perceptual_hash__isnull=True).select_related("exam").order_by("pk")
    for image in without.iterator():
        try:
            with image.file.open("rb") as file, large_image_lock(image.width_px * image.height_px):
                hashes = _hashes_of(file.read())
        except FileNotFoundError:
            continue
        with transaction.atomic():
            if not PerceptualHash.objects.filter(image=image).exists():
                store_hash(image, Content(sha256=image.sha256, hashes=hashes))
                n_stored += 1
    return n_stored


def _hashes_of(data: bytes) -> tuple[PictureHash, ...]:
    try:
        return tuple(hash_flips(data))
    except GradingError:  # its grading fails visibly
        return ()


def _stored_hash(row: PerceptualHash) -> PictureHash:
    return PictureHash(bits=bytes(row.bits), crop=bytes(row.crop))


def _same_file(images: QuerySet[FundusImage], content: Content) -> FundusImage | None:
    return images.filter(sha256=content.sha256).order_by("-created_at", "pk").first()


def _same_picture(images: QuerySet[FundusImage], content: Content, min_correlation: float) -> FundusImage | None:
    """The one of ``images`` that is the same picture."""
    return next(_same_pictures(images, content, min_correlation), None)


def _same_pictures(images: QuerySet[FundusImage], content: Content, min_correlation: float) -> Iterator[FundusImage]:
    """Those of ``images`` that are the same picture. Crops are loaded and compared of the most similar hashes only."""
    if not content.hashes:
        return
    rows = PerceptualHash.objects.filter(image__in=images).exclude(bits=b"").values_list("pk", "bits")
    yield from _nearest_pictures(((pk, bytes(bits)) for pk, bits in rows), content, min_correlation)


def _nearest_pictures(
    hashes: Iterable[tuple[UUID, bytes]], content: Content, min_correlation: float
) -> Iterator[FundusImage]:
    """The photographs that are the same picture, of the ids and hashes of some."""
    if not content.hashes:
        return
    distances = sorted((min(n_different_bits(one.bits, bits) for one in content.hashes), pk) for pk, bits in hashes)
    nearest = [pk for distance, pk in distances[:_MAX_CORRELATED] if distance <= MAX_DIFFERENT_BITS]
    found = PerceptualHash.objects.in_bulk(nearest) if nearest else {}
    for row in (found[pk] for pk in nearest):
        if any(is_same_picture(one, _stored_hash(row), min_correlation=min_correlation) for one in content.hashes):
            yield FundusImage.objects.select_related("exam").get(pk=row.pk)


def find_copies(*, image: FundusImage, by: User) -> set[UUID]:
    """Other exams at sites of ``by`` with the same picture as ``image``, whose result is not hidden from ``by``."""
    content = stored_content(image)
    others = restrict(FundusImage.objects.select_related("exam"), by, Action.VIEW_CASE).exclude(exam=image.exam_id)
    candidates = others.filter(pk__in=_by_bands(content, site__in=sites_for(by, Action.VIEW_CASE)))
    copies = {one.exam_id for one in others.filter(sha256=content.sha256)}
    copies |= {one.exam_id for one in _same_pictures(candidates, content, MIN_LOCAL_CORRELATION)}
    hidden = hidden_from(Exam.objects.filter(pk__in=copies), by)
    return copies - set(hidden.values_list("pk", flat=True))


def find_readable(*, content: Content, by: User, is_hidden: bool) -> FundusImage | None:
    """A photograph of the user's sites that is the same picture; ``is_hidden``: only one whose result is hidden.

    The result is hidden if the user reads blind and has not read the exam yet.
    """
    images = restrict(FundusImage.objects.select_related("exam__site"), by)
    if is_hidden:
        images = hidden_from(images, by, exam="exam")
    candidates = images.filter(pk__in=_by_bands(content, site__in=sites_for(by)))
    return _same_file(images, content) or _same_picture(candidates, content, MIN_LOCAL_CORRELATION)
