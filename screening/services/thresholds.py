"""Thresholds of sites: choosing one, loading a fitted one, applying it to a prediction."""

import uuid
from dataclasses import asdict, replace

from django.db import transaction
from django.utils.translation import gettext as _

from ml.bundle import Bundle
from ml.errors import BundleError, InputError
from ml.prediction import Prediction
from ml.site_threshold import MAX_BYTES, read_site_threshold, tempered_probabilities
from ml.vocabulary import REFERABLE_FROM
from screening.access import Action, require
from screening.labels.limits import too_long
from screening.models import AuditEvent, Site, SiteThreshold, User
from screening.models.base import max_length
from screening.selectors.thresholds import newest_threshold, threshold_in_use
from screening.services.active_bundles import bundle_in_use
from screening.services.audit import record_event

_NOT_MEASURED = {"model_version", "weights_sha256", "temperature", "operating_point"}


class ThresholdRefused(ValueError):
    """A threshold that the site cannot use. The message is for the user."""


def fitted_threshold(site: Site, content: bytes) -> SiteThreshold:
    """The threshold of a file that ``python -m ml site-threshold`` wrote, not stored yet.

    Raises ThresholdRefused for another file, or one that was fitted to another bundle than that of the site's model.
    """
    bundle = _bundle_of(site)
    try:
        found = read_site_threshold(content[: MAX_BYTES + 1])
        found.require_bundle(bundle)
    except InputError as error:
        raise ThresholdRefused(str(error)) from None
    measured = {name: value for name, value in asdict(found).items() if name not in _NOT_MEASURED}
    return SiteThreshold(
        site=site,
        model_version=bundle.model_version,
        origin=SiteThreshold.Origin.FITTED,
        operating_point=found.operating_point,
        temperature=found.temperature,
        measured=measured | {"fitted_on": found.fitted_on.isoformat()},
    )


def chosen_threshold(site: Site, operating_point: float | None) -> SiteThreshold:
    """A threshold of the ROC table of the site's model, None: the model's own; not stored yet.

    Raises ThresholdRefused for one that is not in the table.
    """
    bundle = _bundle_of(site)
    if operating_point is not None and operating_point not in table_of(bundle):
        raise ThresholdRefused(_("This threshold is not in the table of the model of this site. Choose another one."))
    return SiteThreshold(
        site=site,
        model_version=bundle.model_version,
        origin=SiteThreshold.Origin.MODEL if operating_point is None else SiteThreshold.Origin.TABLE,
        operating_point=bundle.operating_point if operating_point is None else operating_point,
    )


def _bundle_of(site: Site) -> Bundle:
    try:
        return bundle_in_use(site)
    except BundleError:
        raise ThresholdRefused(
            _("The model of this site cannot be read. Ask the administrator of the installation.")
        ) from None


def table_of(bundle: Bundle) -> tuple[float, ...]:
    """The thresholds of the bundle's ROC table; none for a bundle without one."""
    return () if bundle.roc is None else bundle.roc.thresholds


@transaction.atomic
def use_threshold(threshold: SiteThreshold, *, by: User) -> None:
    """Store the threshold: photographs that are graded from now on are judged by it.

    Gradings and reviews that exist keep theirs. Raises AccessDenied unless ``by`` manages the site or is a superuser.
    """
    if not by.is_superuser:
        require(by, Action.MANAGE_SITE, threshold.site)
    threshold.created_by = by
    threshold.full_clean()
    threshold.save(force_insert=True)
    data: dict[str, str | float | bool | None] = {
        "model_version": threshold.model_version,
        "origin": threshold.origin,
        "operating_point": threshold.operating_point,
        "temperature": threshold.temperature,
    }
    record_event(verb=AuditEvent.Verb.THRESHOLD_CHANGED, subject=threshold, site=threshold.site, data=data, by=by)


@transaction.atomic
def change_operating_point(
    *, site: Site, operating_point: float | None, reason: str, base_id: uuid.UUID | None, by: User
) -> SiteThreshold:
    """Choose a threshold of the table of the site's model, None: the model's own.

    ``base_id``: the newest threshold of the site when the page was opened. The same form sent twice is stored once.
    Raises ThresholdRefused, AccessDenied.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    newest, reason = newest_threshold(locked), reason.strip()
    if not reason:
        raise ThresholdRefused(_("Enter the reason for the change."))
    if len(reason) > max_length(SiteThreshold, "reason"):
        raise ThresholdRefused(too_long(max_length(SiteThreshold, "reason")))
    if _bundle_of(locked).roc is None:
        raise ThresholdRefused(
            _("The model of this site states no validation, so no other operating point can be chosen.")
        )
    threshold = chosen_threshold(locked, operating_point)
    threshold.reason = reason
    if newest is not None and (newest.created_by_id, _choice(newest)) == (by.pk, _choice(threshold)):
        return newest
    if base_id != (None if newest is None else newest.pk):
        raise ThresholdRefused(_("Another version was stored meanwhile. Compare it, then enter your change again."))
    if _is_in_use(threshold):
        raise ThresholdRefused(_("This is the operating point in use. Choose another one."))
    use_threshold(threshold, by=by)
    return threshold


def _choice(threshold: SiteThreshold) -> tuple[str, str, float, str]:
    return threshold.model_version, threshold.origin, threshold.operating_point, threshold.reason


def _is_in_use(threshold: SiteThreshold) -> bool:
    in_use = threshold_in_use(threshold.site, threshold.model_version)
    if in_use is None:
        return threshold.origin == SiteThreshold.Origin.MODEL
    return (in_use.origin, in_use.operating_point) == (threshold.origin, threshold.operating_point)


def with_site_threshold(prediction: Prediction, site: Site) -> tuple[Prediction, SiteThreshold | None]:
    """The prediction judged by the threshold that the site uses for its model; it and None if that is the model's own.

    The grade stays. The operating point of the result is that of the returned threshold.
    """
    threshold = threshold_in_use(site, prediction.model_version)
    if threshold is None or prediction.probabilities is None:
        return prediction, None
    probabilities = tempered_probabilities(prediction.probabilities, threshold.temperature)
    p_referable = min(1.0, sum(probabilities[REFERABLE_FROM:]))
    judged = replace(
        prediction,
        probabilities=probabilities,
        p_referable=p_referable,
        is_referable=p_referable >= threshold.operating_point,
    )
    return judged, threshold
