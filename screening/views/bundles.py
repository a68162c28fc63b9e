"""The models page: the bundles of this installation, what each reached, and which sites use it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from screening.access import Action, managed_sites, require, require_models, sites_for
from screening.labels.bundles import METRIC_LABELS, memory_text, metrics_by_source, metrics_over_sources
from screening.labels.models import SHORT_MODEL_LABELS
from screening.model_cards import blocks_of_card
from screening.models import Site, User
from screening.policy.operating_points import validation_points
from screening.selectors.activations import active_versions
from screening.services.bundles import InstalledBundle, find_bundle, list_bundles, read_card
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import require_parameters

SECTION = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRow:
    """A bundle of the list. ``sites``: of the user, those whose exams it grades."""

    installed: InstalledBundle
    labels: list[str]
    sites: list[Site]
    metrics: list[tuple[str, str]]
    memory: str


@login_required
@require_safe
def model_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """All bundles, those that are served first."""
    require_parameters(request, known=())
    require_models(request.user)
    sites = list(managed_sites(request.user).order_by("name", "pk"))
    active = active_versions(sites)
    context = {
        "section": SECTION,
        "rows": [_row(installed, sites, active) for installed in list_bundles()],
        "sites": sites,
        "managed": set(sites_for(request.user, Action.MANAGE_SITE).values_list("pk", flat=True)),
        "memory_limit": memory_text(settings.MODEL_MEMORY_MB * 1_000_000),
    }
    return render(request, "screening/models/list.html", context)


@login_required
@require_safe
def model_detail(request: AuthenticatedRequest, version: str) -> HttpResponseBase:
    """One bundle with its figures by source, its operating points and its model card. Raises Http404."""
    require_parameters(request, known=())
    require_models(request.user)
    installed = find_bundle(version)
    if installed is None or installed.bundle is None:
        raise Http404
    bundle = installed.bundle
    sites = list(managed_sites(request.user).order_by("name", "pk"))
    context = {
        "section": SECTION,
        "row": _row(installed, sites, active_versions(sites)),
        "metric_labels": list(METRIC_LABELS.values()),
        "sources": metrics_by_source(bundle.metrics),
        "points": [] if bundle.roc is None else validation_points(bundle.roc),
        "card": blocks_of_card(read_card(bundle)),
    }
    return render(request, "screening/models/detail.html", context)


def get_managed_site(user: User, site_id: UUID) -> Site:
    """A site whose models ``user`` may see. Raises AccessDenied at another own site, Http404 at any other."""
    site = managed_sites(user).filter(pk=site_id).first()
    if site is None:
        site = get_object_or_404(sites_for(user), pk=site_id)
        require(user, Action.MANAGE_SITE, site)
    return site


def _row(installed: InstalledBundle, sites: list[Site], active: dict[UUID, str]) -> BundleRow:
    bundle: Any = installed.bundle
    return BundleRow(
        installed=installed,
        labels=[str(SHORT_MODEL_LABELS[model]) for model in installed.served_as],
        sites=[site for site in sites if _is_used(installed, site, active.get(site.pk))],
        metrics=metrics_over_sources(bundle.metrics) if bundle else [],
        memory=memory_text(bundle.memory_bytes) if bundle else "",
    )


def _is_used(installed: InstalledBundle, site: Site, active_version: str | None) -> bool:
    if active_version is None:
        return site.served_model in installed.served_as
    return installed.bundle is not None and installed.bundle.model_version == active_version
