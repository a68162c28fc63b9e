"""A site that sends messages by a hook, and helpers of tests."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from screening.models import (
    Message,
    MessageBatch,
    MessageEvent,
    Site,
    User,
)
from screening.selectors.due_list import DueFilters
from screening.services.messages import (
    queue_batch,
)
from tests.screening import message_fixtures as hook
from tests.screening.message_fixtures import switch_on

ALL = DueFilters()


@pytest.fixture(autouse=True)
def _hook(settings: Any) -> Iterator[None]:
    settings.SMS_BACKEND = hook.HOOK
    hook.sent.clear()
    hook.errors.clear()
    yield
    hook.errors.clear()


@pytest.fixture
def site(site: Site) -> Site:
    return switch_on(site)


def queue_all(site: Site, by: User) -> MessageBatch:
    return queue_batch(site=site, filters=ALL, batch_id=uuid.uuid4(), by=by)


def log_of(message: Message) -> list[tuple[str, str]]:
    return list(MessageEvent.objects.filter(message=message).values_list("state", "reason"))


def move_clock(monkeypatch: pytest.MonkeyPatch, **later: float) -> None:
    moment = timezone.now() + datetime.timedelta(**later)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def days_ahead(days: int = 1) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(days=days)
