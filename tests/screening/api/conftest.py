"""A client with a key of the photographer."""

import pytest

from screening.models import User
from tests.screening.api.client import ApiClient


@pytest.fixture
def client(photographer: User) -> ApiClient:
    return ApiClient(photographer)
