"""The periodic task of call and recall: ended suspensions and opt-outs are recorded, due dates are computed again.

What counts are days and stored rows, not the last run: a missed run is made up, and a second one changes nothing.
"""

import datetime

from django.db import transaction
from django.utils import timezone

from screening.models import Patient, RecallRun, RegisterEntry, Site
from screening.policy.messages import MessageMode
from screening.policy.register import LIMITED_STATUSES, RegisterReason, RegisterStatus
from screening.services.messages import queue_due
from screening.services.recalls import update_recalls
from screening.services.register import lock_patient, store_entry


def run_recall() -> RecallRun:
    """End the periods that are over and compute all due dates, by the day of each site; returns the figures.

    At sites that send messages by themselves, those of the steps that are due are queued.
    """
    n_ended = n_changed = 0
    for site in Site.objects.filter(is_active=True, practice_of=None).order_by("pk"):
        n_ended += _end_periods(site)
        n_changed += update_recalls(site=site)
        if site.message_mode == MessageMode.AUTOMATIC.value:
            queue_due(site=site)
    values = {"ran_at": timezone.now(), "n_ended": n_ended, "n_changed": n_changed}
    return RecallRun.objects.update_or_create(defaults=values, id=1)[0]


def _end_periods(site: Site) -> int:
    today = timezone.localdate(timezone=site.zone)
    statuses = [status.value for status in LIMITED_STATUSES]
    ended = Patient.objects.filter(site=site, register_status__in=statuses, register_until__lt=today)
    ids = list(ended.order_by("pk").values_list("pk", flat=True))
    for patient_id in ids:
        with transaction.atomic():
            patient = lock_patient(patient_id)
            until_on = patient.register_until
            if patient.register_status not in statuses or until_on is None or until_on >= today:
                continue  # changed meanwhile
            entry = RegisterEntry(
                patient=patient,
                status=RegisterStatus.ELIGIBLE.value,
                reason=RegisterReason.PERIOD_ENDED.value,
                from_on=until_on + datetime.timedelta(days=1),
            )
            store_entry(entry, by=None)
    return len(ids)
