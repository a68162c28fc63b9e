"""Referrals: the chip of a state, whether one is late, those of an exam or a patient, the number in the menu."""

from contextlib import suppress
from typing import Any

from django import template
from django.core.cache import cache
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import RedisError

from screening.models import Exam, Patient, Referral, User
from screening.policy.proportions import Proportion
from screening.policy.referrals import CLOSED_STATES, ReferralState, is_late
from screening.selectors.referrals import count_late_referrals, referrals_of_exam, referrals_of_patient

register = template.Library()
MENU_CACHED_S = 20
_CACHE_ERRORS = (RedisError, OSError)
_CLASSES = {ReferralState.RESULT_BACK: "is-fine", ReferralState.WITHDRAWN: "", ReferralState.DECLINED: "is-unclear"}


@register.simple_tag
def late_referrals(user: Any) -> int | None:
    """How many referrals are late, at most ``MENU_CACHED_S`` old; None for a user who records no steps."""
    if not isinstance(user, User):
        return None
    key = f"late-referrals:{user.pk}"
    with suppress(*_CACHE_ERRORS):
        if (cached := cache.get(key)) is not None:
            return None if cached < 0 else int(cached)
    n_late = count_late_referrals(user)
    with suppress(*_CACHE_ERRORS):
        cache.set(key, -1 if n_late is None else n_late, MENU_CACHED_S)
    return n_late


@register.filter
def days_late(referral: Referral) -> int:
    """Days since its next step was due; 0 if it is not late."""
    today = timezone.localdate(timezone=referral.site.zone)
    if referral.due_on is None or not is_late(referral.due_on, today):
        return 0
    return (today - referral.due_on).days


@register.simple_tag
def late_chip(referral: Referral) -> SafeString | str:
    """Since how many days it is late; empty if it is not."""
    n = days_late(referral)
    if not n:
        return ""
    return format_html('<span class="chip is-alarm">{}</span>', ngettext("%d day late", "%d days late", n) % n)


@register.simple_tag
def state_chip(referral: Referral) -> SafeString:
    """The state."""
    state = ReferralState(referral.state)
    kind = _CLASSES.get(state, "is-refer" if state not in CLOSED_STATES else "")
    return format_html('<span class="chip {}">{}</span>', kind, referral.get_state_display())


@register.filter
def proportion(one: Proportion) -> str:
    """``80 % (49 to 94 %)``; a dash if nothing is counted."""
    if one.value is None or one.interval is None:
        return "–"
    low, high = one.interval
    return _("%(share)d %% (%(low)d to %(high)d %%)") % {
        "share": round(100 * one.value),
        "low": round(100 * low),
        "high": round(100 * high),
    }


@register.inclusion_tag("screening/referrals/_of_exam.html")
def exam_referrals(user: Any, exam: Exam) -> dict[str, Any]:
    """The referrals of an exam, with links."""
    return {"referrals": referrals_of_exam(user=user, exam_id=exam.pk)}


@register.inclusion_tag("screening/referrals/_of_exam.html")
def patient_referrals(user: Any, patient: Patient) -> dict[str, Any]:
    """The referrals of a patient, with links."""
    return {"referrals": referrals_of_patient(user=user, patient_id=patient.pk), "has_title": True}
