"""Tasks that Celery beat sends, and when."""

import datetime
import time
from typing import Any

from celery.schedules import crontab, schedule

_STARTED_AT, _STARTED = datetime.datetime.now(datetime.UTC), time.monotonic()


def steady_now() -> datetime.datetime:
    """UTC at the start of this process, and the seconds since: it ignores changes of the system's clock.

    With the system's clock, beat would send nothing for a day after the clock was set back by a day.
    """
    return _STARTED_AT + datetime.timedelta(seconds=time.monotonic() - _STARTED)


PERIODIC_TASKS: dict[str, dict[str, Any]] = {
    "requeue-stale-gradings": {
        "task": "screening.tasks.requeue_stale_gradings",
        "schedule": schedule(datetime.timedelta(seconds=30), nowfun=steady_now),
    },
    "grade-shadows": {
        "task": "screening.tasks.grade_shadows",
        "schedule": schedule(datetime.timedelta(seconds=30), nowfun=steady_now),
    },
    "work-on-regradings": {
        "task": "screening.tasks.work_on_regradings",
        "schedule": schedule(datetime.timedelta(seconds=20), nowfun=steady_now),
    },
    "delete-orphaned-files": {
        "task": "screening.tasks.delete_orphaned_files",
        "schedule": crontab(hour="3", minute="17"),
    },
    "delete-expired-idempotency-keys": {
        "task": "screening.tasks.delete_expired_idempotency_keys",
        "schedule": crontab(minute="41"),
    },
    "delete-expired-uploads": {
        "task": "screening.tasks.delete_expired_uploads",
        "schedule": crontab(minute="23"),
    },
    "report-late-referrals": {
        "task": "screening.tasks.report_late_referrals",
        "schedule": crontab(hour="*/6", minute="11"),  # days begin at another hour at each site
    },
    "run-recall": {
        "task": "screening.tasks.run_recall",
        "schedule": crontab(hour="*/6", minute="31"),  # days begin at another hour at each site
    },
    "send-messages": {
        "task": "screening.tasks.send_messages",
        "schedule": schedule(datetime.timedelta(minutes=2), nowfun=steady_now),
    },
    "close-past-bookings": {
        "task": "screening.tasks.close_past_bookings",
        "schedule": crontab(hour="*/6", minute="21"),  # days begin at another hour at each site; before run-recall
    },
    "clean-up-imports": {
        "task": "screening.tasks.clean_up_imports",
        "schedule": schedule(datetime.timedelta(seconds=60), nowfun=steady_now),
    },
    "update-counts": {
        "task": "screening.tasks.update_counts",
        "schedule": schedule(datetime.timedelta(seconds=60), nowfun=steady_now),
    },
    "check-drift": {
        "task": "screening.tasks.check_drift",
        "schedule": crontab(hour="*/6", minute="37"),  # weeks begin at another hour at each site; each is checked once
    },
    "delete-letter-files": {"task": "screening.tasks.delete_letter_files", "schedule": crontab(minute="53")},
    "delete-old-drafts": {"task": "screening.tasks.delete_old_drafts", "schedule": crontab(minute="47")},
}
