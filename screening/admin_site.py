"""The admin site.

NB: not in the package ``admin``: Django imports this file to create the site on which that package registers.
"""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class ScreeningAdminSite(AdminSite):
    """Admin site for active superusers. NB: it shows the records of all sites, without roles."""

    site_title = _("Screening administration")
    site_header = _("Screening administration")
    enable_nav_sidebar = False  # the lists need the width
    index_title = _("Records of all sites")

    def password_change(  # type: ignore[override]  # a redirect is a response too
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of the user's account, which limits and audits wrong passwords."""
        return redirect("screening:password")

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)
