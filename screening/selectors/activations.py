"""Activations of registered bundles: the one in force, and the history of a site."""

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from ml.vocabulary import ServedModel
from screening.models import BundleActivation, Site


def newest_activation(site: Site, model: ServedModel) -> BundleActivation | None:
    """The row that counts; None if only the released bundle has ever graded. One query."""
    return list_activations(site, model).first()


def list_activations(site: Site, model: ServedModel) -> QuerySet[BundleActivation]:
    """The history of a model at a site, newest first."""
    rows = BundleActivation.objects.filter(site=site, model=model.value).select_related("bundle", "created_by")
    return rows.order_by("-number")


def activations_in_force(sites: Iterable[Site]) -> list[BundleActivation]:
    """Those of the model of each site that have a bundle, by the name of the site. One query."""
    sites = list(sites)
    newest: dict[tuple[object, str], BundleActivation] = {}
    rows = BundleActivation.objects.filter(site__in=sites).select_related("site", "bundle").order_by("number")
    for row in rows:
        newest[row.site_id, row.model] = row
    found = [newest.get((site.pk, site.served_model.value)) for site in sites]
    in_force = [row for row in found if row is not None and row.bundle is not None]
    return sorted(in_force, key=lambda row: (row.site.name, row.site_id))


def active_versions(sites: Iterable[Site]) -> dict[uuid.UUID, str]:
    """The model version of each site at which a registered bundle grades. One query."""
    return {row.site_id: row.bundle.model_version for row in activations_in_force(sites) if row.bundle is not None}
