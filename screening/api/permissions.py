"""Permissions of API views, by ``access.py``, before the body of a request is read."""

from typing import TYPE_CHECKING

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from screening.access import Action
from screening.models import User
from screening.services.audit import require_role

if TYPE_CHECKING:  # NB: DRF loads this file while its own views are loading
    from rest_framework.views import APIView


class HasActionPermission(IsAuthenticated):
    """Allows a request if the user may do the view's action for its method at any site.

    Services check again, for the site of the record. Raises AccessDenied; KeyError for a method without an action, so
    that a forgotten declaration gives no access.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """False without a user: the response is then 401."""
        if not super().has_permission(request, view):
            return False
        method = _method(request).lower()
        if method in view.http_method_names and hasattr(view, method):
            assert isinstance(request.user, User)  # noqa: S101 (for the type: IsAuthenticated has checked it)
            require_role(request.user, action_of(request, getattr(view, "actions", {})))
        return True


def action_of(request: Request, actions: dict[str, Action]) -> Action:
    """The action that a request needs; of HEAD that of GET. Raises KeyError for a method without one."""
    return actions[_method(request)]


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else str(request.method)
