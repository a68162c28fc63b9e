"""What a caller may do, asked of ``access.py`` before the body of a request is read."""

from typing import TYPE_CHECKING

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from screening.access import Action, require

if TYPE_CHECKING:  # NB: DRF loads this file while its own views are loading
    from rest_framework.views import APIView


class HasActionPermission(IsAuthenticated):
    """The caller may do, at one site at least, what the view declares for this method.

    Services ask again for the very site. Raises AccessDenied; KeyError for a handler that declares no action, so that
    a forgotten declaration opens nothing.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """False for a stranger, who is then asked for a key."""
        if not super().has_permission(request, view):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method.lower() in view.http_method_names and hasattr(view, method.lower()):
            actions: dict[str, Action] = getattr(view, "actions", {})
            require(request.user, actions[method])
        return True
