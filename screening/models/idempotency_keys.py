"""Keys of requests that may be sent again: the header ``Idempotency-Key``."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel


class IdempotencyKey(BaseModel):
    """One POST of an account to a route, with the key that its client chose.

    Neither key nor body nor response is stored: hashes of the first two, and the status and the id of the record that
    the response was about. Both are null until the request has succeeded; the row of a failed request is deleted.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    route = models.CharField(_("name of the URL"), max_length=80)
    key_hash = models.CharField(_("hash of the key"), max_length=64)
    request_hash = models.CharField(_("hash of the request"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status of the response"), null=True, blank=True)
    object_id = models.UUIDField(_("object id"), null=True, blank=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["user", "route", "key_hash"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=models.Q(status__isnull=True, object_id__isnull=True)
                | models.Q(status__isnull=False, object_id__isnull=False),
                name="idempotency_key_finished_has_object",
            ),
        ]

    def __str__(self) -> str:
        return f"Idempotency key {self.id}"

    @property
    def is_finished(self) -> bool:
        """Whether the request has succeeded."""
        return self.status is not None
