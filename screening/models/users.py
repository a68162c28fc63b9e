"""User accounts."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person or program that logs in. Memberships decide what it may do (``access.py``).

    ``language`` is that of pages and notices, a code of ``settings.LANGUAGES``; empty: that of the browser.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    must_change_password = models.BooleanField(_("must choose another password"), default=False)
    n_failed_logins = models.PositiveIntegerField(_("wrong passwords since the last log-in"), default=0, editable=False)

    language = models.CharField(_("language of pages"), max_length=10, blank=True)

    lockout_notice_at = models.DateTimeField(_("notice of wrong passwords sent at"), null=True, editable=False)

    class Meta(AbstractUser.Meta):
        ordering = ["username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username
