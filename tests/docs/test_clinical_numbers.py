"""Each clinical number has its source beside it, and the table of them is current."""

from django.contrib import admin
from django.test import RequestFactory

from docs.clinical_numbers import FIXED, MARKERS, PAGE, SITE_CAN_CHANGE, find_numbers, render
from screening.admin.users import SiteAdmin
from screening.models import Site, SiteProtocol, User
from screening.policy.protocols import Protocol
from screening.policy.referrals import DEFAULT_TARGETS


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == render(), "Run: python -m docs.clinical_numbers"


def test_every_number_has_a_source_or_is_named_a_default() -> None:
    numbers = find_numbers()
    assert {"RecallRules.lost_after_months", "DEFAULT_TARGETS"} <= {
        one.name.removeprefix("screening.policy.recall.").removeprefix("screening.policy.referrals.") for one in numbers
    }
    assert [one.name for one in numbers if not any(marker in one.text for marker in MARKERS)] == []
    assert [one.name for one in numbers if (SITE_CAN_CHANGE in one.text) == (FIXED in one.text)] == []


def test_a_site_can_change_what_the_table_names() -> None:
    """Recall in the settings of the site, the rest where the table says so."""
    can_change = {one.name.rpartition(".")[2]: one.value for one in find_numbers() if SITE_CAN_CHANGE in one.text}
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    fields = SiteAdmin(Site, admin.site).get_fields(request, Site())
    settings = {name for name in can_change if name in Site.RECALL_FIELDS}
    assert settings == set(Site.RECALL_FIELDS) <= set(fields)
    changed = Site(**dict.fromkeys(settings, 7)).recall_rules
    assert {getattr(changed, name) for name in settings} == {7}
    targets = {urgency: Site().referral_target_days(urgency) for urgency in DEFAULT_TARGETS}
    assert targets == {urgency: (days.sent, days.seen) for urgency, days in DEFAULT_TARGETS.items()}
    assert {name for name in fields if name.startswith("referral_")} >= {
        "referral_sent_soon_days", "referral_seen_immediate_days", "referral_result_days",
    }  # fmt: skip
    assert {"reading_target_routine_h", "reading_target_soon_h", "reading_target_immediate_h"} <= set(fields)
    protocol = SiteProtocol(kind="double_positives", negative_percent=7, repeat_percent=7, repeat_weeks=7).protocol
    assert (protocol.negative_percent, protocol.repeat_percent, protocol.repeat_weeks) == (7, 7, 7)
    rest = set(can_change) - settings
    assert rest == {
        "DEFAULT_NEGATIVE_PERCENT", "DEFAULT_REPEAT_PERCENT", "DEFAULT_REPEAT_WEEKS", "DEFAULT_TARGETS",
        "DEFAULT_RESULT_DAYS", "DEFAULT_READING_HOURS", "NEGATIVE_MONTHS", "PREGNANCY_MONTHS",
    }  # fmt: skip
    assert Protocol().negative_percent == can_change["DEFAULT_NEGATIVE_PERCENT"]
