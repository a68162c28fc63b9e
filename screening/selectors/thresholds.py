"""Thresholds of sites: the one in use."""

from collections.abc import Mapping

from django.db.models import OuterRef, QuerySet, Subquery

from ml.vocabulary import ServedModel
from screening.access import restrict
from screening.models import Site, SiteThreshold, User
from screening.selectors.activations import active_versions


def threshold_in_use(site: Site, model_version: str) -> SiteThreshold | None:
    """The threshold that the site uses for a version of a model; None if that is the model's own. One query."""
    newest = SiteThreshold.objects.filter(site=site, model_version=model_version).order_by("-created_at", "id").first()
    return None if newest is None or newest.origin == SiteThreshold.Origin.MODEL else newest


def newest_threshold(site: Site) -> SiteThreshold | None:
    """The last threshold that was stored for a site, of any version of a model; None without one. One query."""
    return SiteThreshold.objects.filter(site=site).select_related("created_by").order_by("-created_at", "id").first()


def list_thresholds(*, user: User, site: Site) -> QuerySet[SiteThreshold]:
    """All thresholds that a site has had, newest first."""
    rows = restrict(SiteThreshold.objects.filter(site=site), user).select_related("created_by")
    return rows.order_by("-created_at", "id")


def with_newest_id(thresholds: QuerySet[SiteThreshold]) -> QuerySet[SiteThreshold]:
    """With ``newest_id``, that of the newest threshold of the same site and version of a model."""
    same = SiteThreshold.objects.filter(site=OuterRef("site"), model_version=OuterRef("model_version"))
    return thresholds.annotate(newest_id=Subquery(same.order_by("-created_at", "id").values("pk")[:1]))


def unused_thresholds(model_versions: Mapping[ServedModel, str]) -> list[SiteThreshold]:
    """The newest threshold of each active site that is for another version than that of its model.

    ``model_versions`` are the released ones, by served model; a bundle that is active at a site comes before them. Such
    a threshold has no effect. Three queries.
    """
    newest: dict[object, SiteThreshold] = {}
    rows = SiteThreshold.objects.filter(site__is_active=True).select_related("site").order_by("created_at", "id")
    for row in rows:
        newest[row.site_id] = row
    active = active_versions(row.site for row in newest.values())
    return [
        row
        for row in newest.values()
        if row.origin != SiteThreshold.Origin.MODEL
        and row.model_version != active.get(row.site_id, model_versions.get(row.site.served_model))
    ]
