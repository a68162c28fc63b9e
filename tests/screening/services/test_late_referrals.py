"""Late referrals are reported once, also after a night without a run."""

import datetime
from typing import Any, cast

import pytest
from django.core import mail
from django.utils import timezone

from screening.models import (
    AuditEvent,
    LateReferralRun,
    Referral,
    Site,
    User,
)
from screening.policy.referrals import ReferralState
from screening.services.late_referrals import report_late_referrals
from screening.services.referrals import record_step
from screening.tasks import report_late_referrals as task
from tests.screening.factories import ReferralFactory, SiteFactory

DAY = datetime.timedelta(days=1)


@pytest.fixture
def referral(site: Site) -> Referral:
    return ReferralFactory(exam__patient__site=site)


def today_at(site: Site) -> datetime.date:
    return timezone.localdate(timezone=site.zone)


def make_late(referral: Referral, n_days: int = 1) -> None:
    Referral.objects.filter(pk=referral.pk).update(due_on=today_at(referral.site) - n_days * DAY)


def test_late_referrals_are_reported_once_and_a_missed_night_is_made_up(
    referral: Referral, photographer: User, reviewer: User
) -> None:
    User.objects.filter(pk=photographer.pk).update(email="desk@example.org", language="fr")
    User.objects.filter(pk=reviewer.pk).update(email="reader@example.org")
    assert report_late_referrals() == 0
    make_late(referral, n_days=5)  # as after five nights without a run
    cast("Any", task)()
    referral.refresh_from_db()
    assert referral.due_on is not None
    assert referral.late_since == referral.due_on + DAY
    assert report_late_referrals() == 0
    assert AuditEvent.objects.filter(verb="referral.late").count() == 1
    assert [message.to for message in mail.outbox] == [["desk@example.org"]]
    assert "Harbour Clinic" in mail.outbox[0].body
    assert "adressage" in mail.outbox[0].body, "in the language of the account"
    assert referral.exam.patient.family_name not in str(mail.outbox[0].message())
    assert LateReferralRun.objects.get().n_reported == 0


def test_the_next_step_is_reported_again_if_it_is_late_too(referral: Referral, photographer: User) -> None:
    make_late(referral)
    assert report_late_referrals() == 1
    sent: dict[str, Any] = {"from_state": "made", "to": ReferralState.SENT, "happened_on": today_at(referral.site)}
    referral = record_step(referral=Referral.objects.get(), **sent, by=photographer)
    assert referral.late_since is None
    make_late(referral, n_days=1)
    assert report_late_referrals() == 1


def test_one_that_is_due_today_or_closed_is_not_late(referral: Referral, site: Site) -> None:
    make_late(referral, n_days=0)
    ReferralFactory(exam__patient__site=site, state="declined", due_on=None)
    assert report_late_referrals() == 0


def test_the_day_is_that_of_the_site(referral: Referral) -> None:
    far = SiteFactory(timezone="Pacific/Kiritimati")  # 14 hours before UTC
    now = timezone.now()
    due_on = timezone.localdate(now, timezone=far.zone) - DAY
    ReferralFactory(exam__patient__site=far, due_on=due_on)
    Referral.objects.filter(pk=referral.pk).update(due_on=timezone.localdate(now, timezone=referral.site.zone))
    assert report_late_referrals() == 1


def test_a_failed_notice_does_not_undo_the_report(
    referral: Referral, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=photographer.pk).update(email="desk@example.org")

    def fail(*_args: Any) -> None:
        raise OSError

    monkeypatch.setattr("screening.services.late_referrals.send_mail", fail)
    make_late(referral)
    assert report_late_referrals() == 1
    assert Referral.objects.get().late_since is not None
