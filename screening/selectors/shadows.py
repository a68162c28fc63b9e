"""Shadow mode of sites: the bundle that each tries, what is left to grade, and the comparison with the model in use."""

import datetime
import uuid
from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, QuerySet

from screening.models import FundusImage, Grading, RegisteredBundle, ShadowGrading, Site, SiteShadow
from screening.policy.paired_models import ModelEye, PairedComparison, PairedEye, compare_models
from screening.selectors.signed_eyes import EyeKey, signed_eyes

_FIELDS = ("image__exam_id", "image__laterality", "is_gradable", "grade", "is_referable", "suspects_oedema")


def newest_shadow(site: Site) -> SiteShadow | None:
    """The row that counts; None if the site never had a shadow. One query."""
    rows = SiteShadow.objects.filter(site=site).select_related("bundle", "created_by")
    return rows.order_by("-created_at", "id").first()


def list_shadows(site: Site) -> QuerySet[SiteShadow]:
    """The history of a site, newest first."""
    return SiteShadow.objects.filter(site=site).select_related("bundle", "created_by").order_by("-created_at", "id")


def active_shadows() -> list[SiteShadow]:
    """The row of each active site that tries a bundle, the oldest first."""
    newest: dict[uuid.UUID, SiteShadow] = {}
    rows = SiteShadow.objects.filter(site__is_active=True).select_related("site", "bundle")
    for row in rows.order_by("created_at", "id"):
        newest[row.site_id] = row
    return [row for row in newest.values() if row.bundle is not None]


def images_to_shadow(shadow: SiteShadow) -> QuerySet[FundusImage]:
    """Photographs that the model in use has graded and the shadow has not, the oldest first."""
    graded = Grading.objects.filter(image=OuterRef("pk"), status=Grading.Status.DONE)
    done = ShadowGrading.objects.filter(image=OuterRef("pk"), bundle=shadow.bundle)
    since = datetime.datetime.combine(shadow.since or datetime.date.min, datetime.time(), shadow.site.zone)
    rows = FundusImage.objects.filter(exam__site=shadow.site, exam__created_at__gte=since, withdrawn_at__isnull=True)
    return rows.filter(Exists(graded), ~Exists(done)).order_by("created_at", "pk")


def compare_shadow(site: Site, bundle: RegisteredBundle, *, model_version: str) -> PairedComparison:
    """A bundle against the version in use, on the signed, gradable eyes of the site that both saw. Three queries.

    Only photographs count that both have graded: those that ``bundle`` graded while it was active do not by
    themselves. NB: a reader who saw the result of the version in use agrees with it more often, which the candidate
    has to make up for.
    """
    shadows = ShadowGrading.objects.filter(
        bundle=bundle,
        status=ShadowGrading.Status.DONE,
        image__exam__site=site,
        image__withdrawn_at__isnull=True,
        image__in=_graded_by(site, model_version).values("image"),
    ).order_by()
    gradings = _graded_by(site, model_version).filter(image__in=shadows.values("image"))
    candidates, served = _eyes(shadows.values_list(*_FIELDS)), _eyes(gradings.values_list(*_FIELDS))
    return compare_models(
        PairedEye(str(key[0]), eye.is_referable, eye.grade, served[key], candidates[key])
        for key, eye in signed_eyes(site).items()
        if eye.is_gradable and key in served and key in candidates
    )


def _graded_by(site: Site, model_version: str) -> QuerySet[Grading]:
    rows = Grading.objects.filter(image__exam__site=site, model_version=model_version, status=Grading.Status.DONE)
    return rows.order_by()


def _eyes(rows: Iterable[tuple[object, ...]]) -> dict[EyeKey, ModelEye]:
    """What a model found in each eye."""
    eyes: dict[EyeKey, ModelEye] = {}
    gradable: set[EyeKey] = set()
    for exam_id, laterality, is_gradable, grade, is_referable, suspects in rows:
        key: EyeKey = (exam_id, laterality)  # type: ignore[assignment]  # columns of the query
        if not is_gradable:
            eyes.setdefault(key, ModelEye(grade=None, is_flagged=True))
            continue
        earlier = eyes[key] if key in gradable else ModelEye(grade=None, is_flagged=False)
        gradable.add(key)
        highest = max(one for one in (grade, earlier.grade) if one is not None)  # type: ignore[type-var]
        eyes[key] = ModelEye(
            grade=int(highest),  # type: ignore[call-overload]
            is_flagged=earlier.is_flagged or bool(is_referable or suspects),
        )
    return eyes


def count_shadow(site: Site, bundle: RegisteredBundle) -> dict[str, int]:
    """Photographs of a site by status of their shadow grading."""
    rows = ShadowGrading.objects.filter(bundle=bundle, image__exam__site=site).order_by()
    return dict(rows.values_list("status").annotate(n=Count("pk")))
