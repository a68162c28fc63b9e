"""History of the register. Rows are added and never changed, by a trigger."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import values
from screening.labels.register import REASON_CHOICES, STATUS_CHOICES
from screening.models.base import BaseModel
from screening.models.patients import Patient
from screening.policy.register import LIMITED_STATUSES, RegisterReason, RegisterStatus


class RegisterEntry(BaseModel):
    """One change of a person's status in the register of the site. Append-only.

    The newest entry counts; ``Patient.register_status`` and ``register_until`` are its copy. The status is true from
    ``from_on`` to ``until_on``, its last day. ``recorded_by`` is null for changes of the system.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="register_entries")
    status = models.CharField(_("status"), max_length=12, choices=STATUS_CHOICES)
    reason = models.CharField(_("reason"), max_length=24, choices=REASON_CHOICES)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    from_on = models.DateField(pgettext_lazy("day", "from"))
    until_on = models.DateField(_("last day"), null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("recorded by")
    )

    class Meta:
        verbose_name = _("entry of the register")
        verbose_name_plural = _("entries of the register")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["patient", "-created_at"], name="register_history")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=values(RegisterStatus)), name="register_status_known"),
            models.CheckConstraint(condition=Q(reason__in=values(RegisterReason)), name="register_reason_known"),
            models.CheckConstraint(
                condition=Q(status__in=values(LIMITED_STATUSES), until_on__isnull=False)
                | (~Q(status__in=values(LIMITED_STATUSES)) & Q(until_on__isnull=True)),
                name="register_until_if_limited",
            ),
        ]

    def __str__(self) -> str:
        return f"Entry of the register {self.id}"
