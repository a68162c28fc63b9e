"""Which bundle grades the photographs of a site: the only module that decides it.

It is the registered bundle that is active at the site in place of its model, or else the released bundle of that model.
If the active one cannot be used, nothing grades in its place.
"""

from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery

from ml.bundle import Bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.models import BundleActivation, RegisteredBundle, Site
from screening.selectors.activations import newest_activation
from screening.services import inference
from screening.services.bundles import registered_folder


class ActiveBundleUnavailable(BundleError):
    """The registered bundle that is active at a site is missing, altered or cannot be loaded."""


def active_bundle(site: Site, model: ServedModel) -> RegisteredBundle | None:
    """The registered bundle in place of a model at a site; None: the released one. One query."""
    newest = newest_activation(site, model)
    return None if newest is None else newest.bundle


def active_version(*, site: str) -> Subquery:
    """The version of ``active_bundle``, null without one, of the model of a site; ``site``: path of a row to it."""
    newest = BundleActivation.objects.filter(site=OuterRef(site), model=OuterRef(f"{site}__model")).order_by("-number")
    return Subquery(newest.values("bundle__model_version")[:1])


def version_by(site: Site, active: str | None) -> str:
    """As ``version_in_use`` for the model of the site, of an ``active_version``. Raises BundleError."""
    if site.served_model != site.model:  # this installation has only the other one
        return version_in_use(site)
    return active or inference.current_bundle(site.served_model).model_version


def active_bundle_id(*, site: str, model: str) -> Subquery:
    """The id of ``active_bundle``, null without one, for the rows of a query; ``site``, ``model``: paths to theirs."""
    newest = BundleActivation.objects.filter(site=OuterRef(site), model=OuterRef(model)).order_by("-number")
    return Subquery(newest.values("bundle")[:1])


def version_in_use(site: Site, model: ServedModel | None = None) -> str:
    """The model version that grades new photographs; ``model`` None: that of the site. Reads no registered bundle.

    Raises BundleError if the released bundle cannot be read.
    """
    model = model or site.served_model
    active = active_bundle(site, model)
    return inference.current_bundle(model).model_version if active is None else active.model_version


def bundle_in_use(site: Site, model: ServedModel | None = None) -> Bundle:
    """The bundle of ``version_in_use``. Raises BundleError, ActiveBundleUnavailable."""
    model = model or site.served_model
    active = active_bundle(site, model)
    return inference.current_bundle(model) if active is None else read_active_bundle(active)


def read_active_bundle(active: RegisteredBundle, *, verify: bool = False) -> Bundle:
    """Read a registered bundle that is the one that was registered; ``verify`` checks the hashes of all its files.

    Raises ActiveBundleUnavailable.
    """
    try:
        return inference.registered_bundle(registered_folder(active), active.description_sha256, verify=verify)
    except BundleError as error:
        raise ActiveBundleUnavailable(str(error)) from error


def bundle_of_version(model_version: str) -> Bundle | None:
    """The released or registered bundle of a model version; None if it is not here, or cannot be read.

    One query for a version that is not released, if MODELS_DIR is set.
    """
    for model in settings.GRADING_MODELS:
        with suppress(BundleError):
            bundle = inference.current_bundle(model)
            if bundle.model_version == model_version:
                return bundle
    if settings.MODELS_DIR:
        with suppress(BundleError, RegisteredBundle.DoesNotExist):
            return read_active_bundle(RegisteredBundle.objects.get(model_version=model_version))
    return None


def grader_in_use(site: Site, model: ServedModel) -> "inference.Grader":
    """The Grader of ``bundle_in_use`` in this process. Raises BundleError, ActiveBundleUnavailable."""
    return _grader_of(active_bundle(site, model), model)


def grader_by_id(active_id: UUID | None, model: ServedModel) -> "inference.Grader":
    """As ``grader_in_use``, of an ``active_bundle_id``: no query for the released bundle."""
    return _grader_of(None if active_id is None else RegisteredBundle.objects.get(pk=active_id), model)


def _grader_of(active: RegisteredBundle | None, model: ServedModel) -> "inference.Grader":
    if active is None:
        return inference.current_grader(model)
    try:
        return inference.registered_grader(registered_folder(active), active.description_sha256)
    except BundleError as error:
        raise ActiveBundleUnavailable(str(error)) from error
