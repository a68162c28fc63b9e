"""Which bundle grades the photographs of a site: the only module that decides it.

It is the registered bundle that is active at the site in place of its model, or else the released bundle of that model.
If the active one cannot be used, nothing grades in its place.
"""

from contextlib import suppress

from django.conf import settings

from ml.bundle import Bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.models import RegisteredBundle, Site
from screening.selectors.activations import newest_activation
from screening.services import inference
from screening.services.bundles import registered_folder


class ActiveBundleUnavailable(BundleError):
    """The registered bundle that is active at a site is missing, altered or cannot be loaded."""


def active_bundle(site: Site, model: ServedModel) -> RegisteredBundle | None:
    """The registered bundle in place of a model at a site; None: the released one. One query."""
    newest = newest_activation(site, model)
    return None if newest is None else newest.bundle


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
    active = active_bundle(site, model)
    if active is None:
        return inference.current_grader(model)
    try:
        return inference.registered_grader(registered_folder(active), active.description_sha256)
    except BundleError as error:
        raise ActiveBundleUnavailable(str(error)) from error
