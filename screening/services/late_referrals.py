"""The nightly search for late referrals: each is reported once, by an audit event and by e-mail to who may act."""

import datetime
import logging
from collections import Counter

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.access import Action, users_for
from screening.models import AuditEvent, LateReferralRun, Referral, Site
from screening.services.audit import record_event

logger = logging.getLogger(__name__)


def report_late_referrals() -> int:
    """Mark each referral whose next step is overdue and that was not reported for it; returns how many.

    Days are those of each site. What counts is the day on which a step was due, not the last run: a missed night is
    made up, and a second run in a day reports nothing.
    """
    found: Counter[Site] = Counter()
    with transaction.atomic():
        for site in Site.objects.filter(is_active=True, practice_of=None):
            found[site] = _mark_late(site)
        n_reported = found.total()
        LateReferralRun.objects.update_or_create(defaults={"ran_at": timezone.now(), "n_reported": n_reported}, id=1)
    for site, n_late in found.items():
        if n_late:
            _send_notice(site, n_late)
    return n_reported


def _mark_late(site: Site) -> int:
    today = timezone.localdate(timezone=site.zone)
    is_unreported = Q(late_since__isnull=True) | Q(late_since__lte=F("due_on"))
    rows = Referral.objects.select_for_update().filter(is_unreported, site=site, due_on__lt=today)
    late = list(rows.order_by("pk"))
    for referral in late:
        assert referral.due_on is not None  # noqa: S101 (for the type: the query asks for it)
        referral.late_since = referral.due_on + datetime.timedelta(days=1)
        referral.save(update_fields=["late_since"])
        data = {"state": referral.state, "urgency": referral.urgency}
        record_event(verb=AuditEvent.Verb.REFERRAL_LATE, subject=referral, site=site, data=data, by=None)
    return len(late)


def _send_notice(site: Site, n_late: int) -> None:
    """The notice has the number and the site, and nothing of a patient. A failure is logged: the list has them too."""
    users = users_for(site, Action.UPDATE_REFERRAL).exclude(email="")
    addresses = sorted(users.values_list("email", "language"))
    for address, language in addresses:
        try:
            with translation.override(language or settings.LANGUAGE_CODE):
                subject, text = _notice(site, n_late)
            send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
        except OSError as error:  # smtplib.SMTPException is one
            logger.warning("The notice of late referrals of site %s was not sent (%s)", site.pk, type(error).__name__)


def _notice(site: Site, n_late: int) -> tuple[str, str]:
    """Subject and text in the active language."""
    text = ngettext(
        "%(n)d referral of %(site)s became late. Log in and open “Referrals”: the late ones are first.",
        "%(n)d referrals of %(site)s became late. Log in and open “Referrals”: the late ones are first.",
        n_late,
    )
    return _("Late referrals"), text % {"n": n_late, "site": site.name}
