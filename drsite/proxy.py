"""IP address of the client behind a reverse proxy."""

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The last address of X-Forwarded-For, else that of the proxy.

    NB: earlier addresses are sent by the client and cannot be trusted; only the last one is added by the proxy.
    """
    last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return str(request.META.get("REMOTE_ADDR", ""))
