"""Who asks, where a proxy stands before the site."""

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that the one trusted proxy saw: the last of X-Forwarded-For, as a client may write any before it.

    Without it everybody would share the proxy's address, and anybody could lock any account. The proxy's own address
    where the header is missing or holds none.
    """
    last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return str(request.META.get("REMOTE_ADDR", ""))
