"""Idempotency keys: a request that is sent again with its key is not carried out again."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from screening.models import IdempotencyKey, User

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)
"""No request takes so long: its process was killed, or the database was unavailable at its end."""


class RequestInProgress(ValueError):
    """A request with this key is being carried out at this moment."""

    def __init__(self) -> None:
        super().__init__(_("A request with this Idempotency-Key is in progress. Repeat it in a few seconds."))


class KeyReused(ValueError):
    """Another request had this key."""

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key belongs to another request. Use a new key for each new request."))


def claim_key(*, key: str, route: str, request: str, by: User) -> IdempotencyKey:
    """The row of a key: a new one, or the finished one of an earlier request with the same content.

    ``request`` is all that the request says, in a form that does not depend on how it is sent.
    Raises RequestInProgress, KeyReused.
    """
    key_hash, request_hash = _hash(key), _hash(request)
    rows = IdempotencyKey.objects.filter(user=by, route=route, key_hash=key_hash)
    now = timezone.now()
    is_abandoned = Q(status__isnull=True, created_at__lt=now - ABANDONED_AFTER)
    rows.filter(is_abandoned | Q(created_at__lt=now - KEPT_FOR)).delete()
    try:
        row, is_new = IdempotencyKey.objects.get_or_create(
            user=by, route=route, key_hash=key_hash, defaults={"request_hash": request_hash}
        )
    except IntegrityError as error:  # the other request failed at this moment, and its row is gone
        raise RequestInProgress from error
    if row.request_hash != request_hash:
        raise KeyReused
    if not is_new and not row.is_finished:
        raise RequestInProgress
    return row


def finish_key(*, row: IdempotencyKey, status: int, object_id: UUID) -> None:
    """Store the status of the response and the id of the record that it is about."""
    _run(lambda: IdempotencyKey.objects.filter(pk=row.pk).update(status=status, object_id=object_id))


def release_key(*, row: IdempotencyKey) -> None:
    """Delete the row of a request that failed: the key can be used again."""
    _run(lambda: IdempotencyKey.objects.filter(pk=row.pk).delete())


def _run(query: Callable[[], object]) -> None:
    """Run a query that ends a request. If the connection was lost, on another one; otherwise the key is abandoned."""
    for is_last in (False, True):
        try:
            query()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            if is_last:
                logger.warning("The database is unavailable: a request can be repeated in %s", ABANDONED_AFTER)
        else:
            return


def delete_expired_keys() -> int:
    """Delete rows older than KEPT_FOR. Returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _hash(text: str) -> str:
    """A hash with the secret key: names and numbers cannot be found by trying them."""
    return salted_hmac("screening.idempotency_keys", text, algorithm="sha256").hexdigest()
