"""The drift pages of the dashboard: what changed, and photographs of then and of now."""

import datetime
import io

from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from screening.models import (
    AuditEvent,
    DailyCount,
    DriftCheck,
    Exam,
    FundusImage,
    Site,
    User,
)
from screening.policy.daily_counts import Period
from screening.selectors.drift import photographs_of_drift
from screening.services.drift_checks import check_drift
from tests.screening.factories import (
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    UserFactory,
)
from tests.screening.views.pages import count_queries, page_text, url
from tests.screening.views.test_dashboards import rows_of


def test_drift_names_what_changed(client: Client, site: Site, manager: User) -> None:
    """The rows of counts are made here: twelve weeks with one camera, then a week with another one."""
    today = timezone.localdate(timezone=site.zone)
    monday = today - datetime.timedelta(days=today.weekday() + 7)
    values = {"site": site, "measure": "photos", "code": "good", "n": 60}
    for week in range(13):
        day, camera = monday - datetime.timedelta(weeks=week), "Old" if week else "New"
        DailyCount.objects.create(**values, day=day, dimension="site")
        DailyCount.objects.create(**values, day=day, dimension="camera", subject=camera)
    client.force_login(manager)
    assert "No week is checked yet" in page_text(client, "site-dashboard-page", site.pk, "drift")
    check_drift()
    rows = rows_of(client, "site-dashboard-export", site.pk, code="drift")
    assert [row["Assessment"] for row in rows[:2]] == ["Alarm: a large change", "No change that matters"]
    assert {row["Assessment"] for row in rows[2:]} == {"fewer than 30 photographs"}
    cameras = rows_of(client, "site-dashboard-export", site.pk, code="drift-cameras")
    assert [list(row.values()) for row in cameras] == [["Old", "100 %", "0 %"], ["New", "0 %", "100 %"]]
    text = page_text(client, "site-dashboard-page", site.pk, "drift")
    assert "were not measured in the 12 weeks before" in text
    assert "Population stability index" in text
    assert "Last 28 days" not in text, "its weeks are fixed"
    assert count_queries(client, "site-dashboard-page", site.pk, "drift") <= 16


def test_drift_compares_what_was_measured(client: Client, site: Site, manager: User) -> None:
    last_week = timezone.now() - datetime.timedelta(days=7)
    store_measured(site, last_week - datetime.timedelta(weeks=3), brightness=140)
    store_measured(site, last_week, brightness=100)
    client.force_login(manager)
    assert (check_drift(), check_drift()) == (1, 0), "once a week"
    rows = {row["Measurement"]: row for row in rows_of(client, "site-dashboard-export", site.pk, code="drift")}
    assert DriftCheck.objects.get(site=site).changed == ["brightness"]
    for name, *ids in (("site-dashboard", site.pk), ("dashboard",), ("site", site.pk)):
        assert f"The photographs of {site.name} changed in the week from" in page_text(client, name, *ids)
    assert rows["Brightness"]["Assessment"] == "Alarm: a large change"
    assert rows["Focus"]["Assessment"] == "No change that matters"
    assert rows["Size of the field of view"]["Photographs"] == "30"
    assert "the values of the 12 weeks before begin on" in page_text(client, "site-dashboard-page", site.pk, "drift")


def test_photographs_of_then_and_of_now_are_sampled_once_and_shown_to_who_may_see_them(
    client: Client, site: Site, manager: User
) -> None:
    last_week = timezone.now() - datetime.timedelta(days=7)
    store_measured(site, last_week - datetime.timedelta(weeks=3), brightness=140)
    store_measured(site, last_week, brightness=100)
    check_drift()
    check = DriftCheck.objects.get(site=site)
    week = Period(check.week, check.week + datetime.timedelta(days=6))
    sampled = check.photographs
    assert photographs_of_drift(site, week) == sampled, "the same ones each time"
    assert [len(sampled["then"]), len(sampled["now"])] == [10, 10]
    hidden, kept = (FundusImage.objects.get(pk=pk) for pk in sampled["now"][:2])
    FundusImage.objects.filter(pk=hidden.pk).update(withdrawn_at=timezone.now(), withdrawn_code="poor_quality")
    FundusImage.objects.filter(pk=kept.pk).update(writing=FundusImage.Writing.KEPT)
    client.force_login(manager)
    text = page_text(client, "site-dashboard-page", site.pk, "drift")
    assert [text.count(url("image-thumbnail", pk)) for pk in sampled["now"]] == [0, 0, *[1] * 8]
    assert url("exam-detail", hidden.exam_id) in text, "of its other photographs"
    assert hidden.exam.patient.mrn not in text
    viewed = AuditEvent.objects.filter(verb="record.viewed", actor=manager, site=site)
    assert viewed.filter(data__route="screening:site-dashboard-page").exists()
    jpeg = io.BytesIO()
    Image.new("RGB", (300, 300), "brown").save(jpeg, "JPEG")
    FundusImage.objects.get(pk=sampled["then"][0]).file.save("photo.jpg", ContentFile(jpeg.getvalue()))
    assert client.get(url("image-thumbnail", sampled["then"][0])).status_code == 200
    assert viewed.filter(data__record=sampled["then"][0]).exists()
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    text = page_text(client, "site-dashboard-page", site.pk, "drift")
    assert "you have no role at this site" in text
    assert url("image-thumbnail", sampled["then"][0]) not in text


def test_drift_of_several_sites_names_what_changed_at_each(
    client: Client, site: Site, other_site: Site, manager: User
) -> None:
    MembershipFactory(user=manager, site=other_site, role="manager")
    store_measured(site, timezone.now() - datetime.timedelta(weeks=4), brightness=140)
    store_measured(site, timezone.now() - datetime.timedelta(days=7), brightness=100)
    client.force_login(manager)
    names = [row["What changed"] for row in rows_of(client, "dashboard-export", code="drift-sites")]
    assert names == ["Not checked yet", "Not checked yet"]
    check_drift()
    rows = rows_of(client, "dashboard-export", code="drift-sites")
    assert [list(row.values()) for row in rows] == [
        [site.name, "Brightness"],
        [other_site.name, "No change that matters"],
    ]
    assert count_queries(client, "site-dashboard-page", site.pk, "drift") <= 14


def store_measured(site: Site, at: datetime.datetime, *, brightness: float) -> None:
    """An exam with thirty measured photographs."""
    exam = ExamFactory(patient__site=site)
    Exam.objects.filter(pk=exam.pk).update(created_at=at)
    for number in range(30):
        values = {"brightness": brightness + number, "redness": 0.4, "focus": number / 100, "field_size": 0.9}
        GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, **values)
