"""Activation of a registered bundle at one site, and the way back to the released one. Superusers only.

Gradings that exist stay. Which bundle grades follows from the rows in ``active_bundles``.
"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ml.bundle_check import check_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.access import require_superuser
from screening.labels.failures import FailureCode
from screening.labels.limits import too_long
from screening.labels.paired_models import failure_text
from screening.models import AuditEvent, BundleActivation, Grading, RegisteredBundle, Site, User
from screening.models.base import max_length
from screening.policy.paired_models import KAPPA_MARGIN, MARGIN, MIN_REFERABLE, PairedComparison
from screening.selectors.activations import newest_activation
from screening.selectors.shadows import compare_shadow
from screening.services.active_bundles import read_active_bundle, version_in_use
from screening.services.audit import record_event
from screening.services.bundles import registered_folder
from screening.services.gradings import queue_grading
from screening.services.registered_bundles import require_trusted


class ActivationRefused(ValueError):
    """A bundle that a site cannot use. ``problems`` are for the user."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def activate_bundle(
    *, site: Site, bundle: RegisteredBundle, reason: str, base_id: UUID | None, by: User
) -> BundleActivation:
    """Have a registered bundle grade the new photographs of a site in place of its model.

    Its files are checked, it grades a photograph in a child process, and it has to pass the gate on the signed eyes of
    the site. ``base_id``: the newest row when the page was opened. Raises ActivationRefused, AccessDenied.
    """
    require_superuser(by)
    _require_reason(reason.strip())
    _require_base(site, base_id)
    replaced = version_in_use(site)
    if replaced == bundle.model_version:
        raise ActivationRefused(_("This model is in use at this site already."))
    _require_intact(bundle)
    comparison = compare_shadow(site, bundle, model_version=replaced)
    if comparison.failures:
        raise ActivationRefused(*(failure_text(failure, comparison) for failure in comparison.failures))
    return _store(site, bundle, _report(comparison, replaced), reason=reason, base_id=base_id, by=by)


def return_to_release(*, site: Site, reason: str, base_id: UUID | None, by: User) -> BundleActivation:
    """Have the released bundle grade again, at once and without a gate. Raises ActivationRefused, AccessDenied."""
    require_superuser(by)
    _require_reason(reason.strip())
    _require_base(site, base_id)
    newest = newest_activation(site, site.served_model)
    if newest is None or newest.bundle is None:
        raise ActivationRefused(_("The released model is in use at this site already."))
    return _store(site, None, {}, reason=reason, base_id=base_id, by=by)


@transaction.atomic
def _store(
    site: Site, bundle: RegisteredBundle | None, report: dict[str, Any], *, reason: str, base_id: UUID | None, by: User
) -> BundleActivation:
    locked = Site.objects.select_for_update().get(pk=site.pk)
    model = locked.served_model
    if model is not site.served_model:
        raise ActivationRefused(_conflict_text())
    _require_base(locked, base_id)
    newest = newest_activation(locked, model)
    try:
        with transaction.atomic():
            row = BundleActivation.objects.create(
                site=locked,
                model=model.value,
                number=1 if newest is None else newest.number + 1,
                bundle=bundle,
                report=report,
                reason=reason.strip(),
                created_by=by,
            )
    except IntegrityError:  # a second change at the same moment
        raise ActivationRefused(_conflict_text()) from None
    data: dict[str, str | float | bool | None] = {
        "model": model.value,
        "model_version": version_in_use(locked, model),
        "version": row.number,
    }
    record_event(verb=AuditEvent.Verb.ACTIVATION_CHANGED, subject=row, site=locked, data=data, by=by)
    _grade_what_failed(locked, model, by)
    return row


def _grade_what_failed(site: Site, model: ServedModel, by: User) -> None:
    """Queue the photographs that no bundle graded because the one that was active could not be used."""
    failed = Grading.objects.filter(
        status=Grading.Status.FAILED,
        failure_code=FailureCode.MODEL_UNAVAILABLE.value,
        model=model.value,
        image__exam__site=site,
        image__withdrawn_at__isnull=True,
    )
    for grading in failed.select_related("image__exam__site"):
        queue_grading(image=grading.image, model=model, is_bulk=grading.is_bulk, by=by)


def _require_reason(reason: str) -> None:
    if not reason:
        raise ActivationRefused(_("Enter the reason for the change."))
    if len(reason) > max_length(BundleActivation, "reason"):
        raise ActivationRefused(too_long(max_length(BundleActivation, "reason")))


def _require_base(site: Site, base_id: UUID | None) -> None:
    newest = newest_activation(site, site.served_model)
    if base_id != (None if newest is None else newest.pk):
        raise ActivationRefused(_conflict_text())


def _conflict_text() -> str:
    return _("Another version was stored meanwhile. Compare it, then enter your change again.")


def _require_intact(bundle: RegisteredBundle) -> None:
    """It is as it was registered, signed if keys are set, made for this preprocessing, and it loads and grades."""
    try:
        read_active_bundle(bundle)
        require_trusted(registered_folder(bundle))
        version = check_bundle(registered_folder(bundle))
    except (BundleError, OSError) as error:
        raise ActivationRefused(_("The model was refused. %(problem)s") % {"problem": error}) from None
    if version != bundle.model_version:
        raise ActivationRefused(
            _("The folder has the model %(found)s, and %(version)s was registered.")
            % {"found": version, "version": bundle.model_version}
        )


def _report(comparison: PairedComparison, replaced: str) -> dict[str, Any]:
    """What the gate found, with its limits, as it is stored."""
    return {
        "replaced": replaced,
        "min_referable": MIN_REFERABLE,
        "margin": MARGIN,
        "kappa_margin": KAPPA_MARGIN,
        **asdict(comparison),
    }
