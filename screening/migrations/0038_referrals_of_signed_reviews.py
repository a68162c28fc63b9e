"""A referral of each signed review that counts and refers: made on the day of the signature.

Backward nothing is done: the migration before drops the table.
"""

import datetime
import zoneinfo
from typing import Any

from django.db import migrations
from django.db.models import F
from django.utils import timezone

OUTCOMES = ("refer_slit_lamp", "refer", "refer_urgent")


def make_referrals(apps: Any, _editor: Any) -> None:
    """In the order of the signatures. Exams that have a referral are left out."""
    referrals = apps.get_model("screening", "Referral").objects
    reviews = apps.get_model("screening", "Review").objects.filter(
        outcome__in=OUTCOMES, amendments__isnull=True, reading_round=F("exam__reading_round")
    )
    reviews = reviews.exclude(exam__in=referrals.values("exam")).select_related("exam__site")
    for review in reviews.order_by("signed_at", "pk").iterator(chunk_size=500):
        site = review.exam.site
        zone = zoneinfo.ZoneInfo(site.timezone)
        made_on = timezone.localdate(review.signed_at, timezone=zone)
        screened_on = _photographed_on(apps, review.exam, zone)
        speed = "immediate" if review.urgency == "immediate" else "soon"
        send_by = screened_on + datetime.timedelta(days=getattr(site, f"referral_sent_{speed}_days"))
        referral = referrals.create(
            site=site,
            exam=review.exam,
            review=review,
            outcome=review.outcome,
            urgency=review.urgency,
            made_on=made_on,
            send_by=send_by,
            see_by=screened_on + datetime.timedelta(days=getattr(site, f"referral_seen_{speed}_days")),
            due_on=send_by,
        )
        apps.get_model("screening", "ReferralEvent").objects.create(
            referral=referral, state="made", happened_on=made_on, recorded_by_id=review.reviewer_id
        )


def _photographed_on(apps: Any, exam: Any, zone: zoneinfo.ZoneInfo) -> datetime.date:
    images = apps.get_model("screening", "FundusImage").objects.filter(exam=exam, withdrawn_at__isnull=True)
    days = [
        captured_on or timezone.localdate(created_at, timezone=zone)
        for captured_on, created_at in images.values_list("captured_on", "created_at")
    ]
    return min(days, default=timezone.localdate(exam.created_at, timezone=zone))


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0037_referrals"),
    ]

    operations = [migrations.RunPython(make_referrals, migrations.RunPython.noop)]
