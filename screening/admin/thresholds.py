"""Thresholds of sites: added, and never changed or deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.admin.columns import moment_column
from screening.forms.thresholds import SiteThresholdForm
from screening.models import SiteThreshold, User
from screening.selectors.thresholds import with_newest_id
from screening.services import inference
from screening.services.thresholds import use_threshold

_NEW_FIELDS = ["site", "choice", "file", "reason"]
_FIELDS = [
    "site",
    "model_version",
    "origin",
    "operating_point",
    "temperature",
    "measured",
    "reason",
    "created_at",
    "created_by",
]


@admin.register(SiteThreshold)
class SiteThresholdAdmin(BaseAdmin[SiteThreshold]):
    """A new threshold counts for photographs that are graded from then on."""

    list_display = [
        "site",
        "origin",
        "operating_point",
        "model_version",
        moment_column(SiteThreshold, "created_at"),
        "created_by",
        "is_in_use",
    ]
    list_filter = ["site", "origin"]
    list_select_related = ["site", "created_by"]

    @admin.display(description=_("in use"), boolean=True)
    def is_in_use(self, obj: SiteThreshold) -> bool:
        """Whether the site's model is judged by it today."""
        version = inference.current_bundle(obj.site.served_model).model_version
        is_newest: bool = vars(obj)["newest_id"] == obj.pk
        return is_newest and obj.model_version == version

    def get_queryset(self, request: HttpRequest) -> QuerySet[SiteThreshold]:
        return with_newest_id(super().get_queryset(request))

    def has_change_permission(self, request: HttpRequest, obj: SiteThreshold | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: SiteThreshold | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return SiteThresholdForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: SiteThreshold | None = None) -> Any:
        return _NEW_FIELDS if obj is None else _FIELDS

    def save_model(self, request: HttpRequest, obj: SiteThreshold, form: Any, change: bool) -> None:
        """Use the threshold that the form has read."""
        if isinstance(request.user, User):
            use_threshold(form.threshold, by=request.user)
            obj.__dict__.update(form.threshold.__dict__)
