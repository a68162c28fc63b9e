"""Clients that are logged in."""

import pytest
from django.test import Client

from screening.models import User


@pytest.fixture
def as_photographer(client: Client, photographer: User) -> Client:
    client.force_login(photographer)
    return client


@pytest.fixture
def as_reviewer(client: Client, reviewer: User) -> Client:
    client.force_login(reviewer)
    return client


@pytest.fixture
def as_manager(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client
