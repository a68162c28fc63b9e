"""The admin site.

NB: not in the package ``admin``: Django imports this file to create the site on which that package registers.
"""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ScreeningAdminSite(AdminSite):
    """Admin site for active superusers. NB: it shows the records of all sites, without roles."""

    site_title = _("Screening administration")
    site_header = _("Screening administration")
    index_title = _("Records of all sites")

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)
