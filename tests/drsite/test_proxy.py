"""Behind a proxy the address of the client is the one that the proxy adds."""

import pytest
from django.test import RequestFactory

from drsite.proxy import client_address


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, <script>", "10.0.0.2"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "10.0.0.2"),
    ],
)
def test_the_last_forwarded_address_is_used(forwarded: str, expected: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected
