"""The admin panel: for those who run the site, not for the clinic's work."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ScreeningAdminSite(AdminSite):
    """Django's admin panel, for superusers alone: it shows every site's rows, where pages keep to the user's own."""

    site_title = _("Screening administration")
    site_header = _("Screening administration")
    index_title = _("Records of all sites")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)
