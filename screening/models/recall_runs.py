"""Runs of the task that computes due dates."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RecallRun(models.Model):
    """The last run of the task that ends periods and computes due dates: one row, which the health check reads."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    ran_at = models.DateTimeField(_("ran at"))
    n_ended = models.PositiveIntegerField(_("ended suspensions and opt-outs"), default=0)
    n_changed = models.PositiveIntegerField(_("changed due dates"), default=0)

    class Meta:
        verbose_name = _("run of the due dates")
        verbose_name_plural = _("runs of the due dates")

    def __str__(self) -> str:
        return f"Run at {self.ran_at}"
