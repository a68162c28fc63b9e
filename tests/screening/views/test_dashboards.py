"""The dashboard: what its pages show, to whom, in how many queries; its exported tables."""

import csv
import datetime
import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone, translation
from PIL import Image

from ml.vocabulary import Laterality
from screening.models import (
    AuditEvent,
    CountRun,
    DailyCount,
    DriftCheck,
    Exam,
    FirstReading,
    FundusImage,
    Programme,
    Site,
    User,
)
from screening.policy.daily_counts import Period
from screening.policy.dashboard_tables import Bar, Table
from screening.selectors.drift import photographs_of_drift
from screening.services.daily_counts import update_counts
from screening.services.drift_checks import check_drift
from screening.templatetags.dashboards import bar_chart
from screening.views.dashboards import PERIODS
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    ReviewFactory,
    UserFactory,
)
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam
from tests.screening.views.pages import count_queries, page_text, text_of, url


@pytest.fixture
def counted(site: Site, reviewer: User) -> Site:
    """A blind-first site with six signed exams."""
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    for number in range(6):
        store_signed(site, reviewer, (2, 0), (2, number % 2))
    waiting_exam(site, 1, 1)
    update_counts()
    return site


def store_signed(site: Site, reader: User, by_model: tuple[int, int], grades: tuple[int, int]) -> None:
    """An exam that ``reader`` read blind and signed: rows alone, which is faster than by the services."""
    exam = waiting_exam(site, *by_model)
    Exam.objects.filter(pk=exam.pk).update(status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=exam, reviewer=reader, outcome="refer" if max(grades) > 1 else "rescreen")
    for eye, grade in zip(Laterality, grades, strict=True):
        EyeFindingFactory(review=review, laterality=eye, grade=grade)
        values = {"is_gradable": True, "grade": grade, "macular_oedema": "none"}
        FirstReading.objects.create(exam=exam, reviewer=reader, laterality=eye, **values)


def rows_of(client: Client, name: str, *ids: object, code: str) -> list[dict[str, str]]:
    response = client.post(url(name, *ids, code), {"format": "csv"})
    assert response.status_code == 200
    body = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body)))


def test_a_manager_sees_the_exams_of_the_site_and_exports_each_table(
    client: Client, counted: Site, manager: User
) -> None:
    client.force_login(manager)
    text = page_text(client, "site-dashboard", counted.pk)
    assert "Backlog: exams that wait for a reader now" in text
    assert "6 of 6" in text, "referral rate"
    assert 'role="img"' in text
    assert url("site-dashboard", counted.pk) in page_text(client, "site", counted.pk)
    exams = rows_of(client, "site-dashboard-export", counted.pk, code="exams")
    assert [(row["Signed"], row["Waiting for a reader"]) for row in exams][-1] == ("6", "1")
    summary = rows_of(client, "site-dashboard-export", counted.pk, code="summary")
    assert next(row for row in summary if row["What"].startswith("Referral rate"))["Value, number"] == "6"
    event = AuditEvent.objects.filter(verb="list.exported").earliest("pk")
    assert event.data["list"] == "dashboard-exams"
    assert event.site == counted
    assert client.post(url("site-dashboard-export", counted.pk, "unknown"), {"format": "csv"}).status_code == 404


def test_the_agreement_of_the_model_and_the_readers(client: Client, counted: Site, manager: User) -> None:
    client.force_login(manager)
    rows = rows_of(client, "site-dashboard-export", counted.pk, code="model-final")
    assert [(row["Exams"], row["Eyes"]) for row in rows] == [("6", "12")]
    assert rows[0]["Sensitivity for referable eyes, number"] == "6"
    assert rows[0]["Kappa with quadratic weights"].startswith("0.8")
    matrix = rows_of(client, "site-dashboard-export", counted.pk, code="model-final-matrix")
    assert matrix[1]["0 · No apparent retinopathy"] == "3", "of grade 1 by the reader"
    text = page_text(client, "site-dashboard-page", counted.pk, "agreement")
    assert "Not changed" in text
    assert "is-shade-4" in text
    staff = page_text(client, "site-dashboard-page", counted.pk, "staff")
    assert "reviewer" in staff
    assert "Camera not recorded" in staff


def test_few_exams_have_no_agreement(client: Client, site: Site, reviewer: User, manager: User) -> None:
    use_protocol(site, "double_all")
    for _ in range(2):
        exam = waiting_exam(site, 2, 0)
        for reader in (reviewer, reader_of(site)):
            sign(exam, reader, found(2, 0))
    update_counts()
    client.force_login(manager)
    for page in ("agreement", "staff"):
        text = page_text(client, "site-dashboard-page", site.pk, page)
        assert "fewer than 5 exams" in text
        assert "Confusion matrix" not in text


def test_all_sites_of_a_manager_are_one_sum_and_a_list(
    client: Client, counted: Site, other_site: Site, manager: User
) -> None:
    elsewhere = waiting_exam(other_site)
    update_counts()
    client.force_login(manager)
    assert "By site" not in page_text(client, "dashboard")
    MembershipFactory(user=manager, site=other_site, role="manager")
    text = page_text(client, "dashboard")
    assert "By site" in text
    assert f"{url('site-dashboard', other_site.pk)}?period=28d" in text
    rows = rows_of(client, "dashboard-export", code="sites")
    assert {row["Site"]: row["Exams"] for row in rows} == {counted.name: "7", other_site.name: "1"}
    assert str(elsewhere.pk) not in text


def test_the_sites_of_a_programme_are_counted_together(
    client: Client, counted: Site, other_site: Site, manager: User
) -> None:
    MembershipFactory(user=manager, site=other_site, role="manager")
    waiting_exam(other_site)
    update_counts()
    client.force_login(manager)
    programme, foreign = (Programme.objects.create(name=name) for name in ("North", "South"))
    Site.objects.filter(pk=counted.pk).update(programme=programme)
    assert f"?programme={programme.pk}" in page_text(client, "dashboard")
    text = text_of(client.get(url("dashboard"), {"programme": str(programme.pk)}))
    assert f"period=28d&amp;programme={programme.pk}" in text
    assert "By site" not in text
    response = client.post(url("dashboard-export", "summary"), {"format": "csv", "programme": str(programme.pk)})
    assert b"Exams,7," in b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert client.get(url("dashboard"), {"programme": str(foreign.pk)}).status_code == 400


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


def test_a_superuser_sees_all_sites_but_no_persons(client: Client, counted: Site, reviewer: User) -> None:
    User.objects.filter(pk=reviewer.pk).update(first_name="Marker", last_name="Name")
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    assert url("dashboard") in page_text(client, "site-dashboard", counted.pk)
    text = page_text(client, "dashboard-page", "staff")
    assert "managers of their site alone" in text
    assert "Marker Name" not in text
    assert client.post(url("dashboard-export", "readers"), {"format": "csv"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"from_on": "2026-05-01"}, "Choose both days"),
        ({"from_on": "2026-05-02", "to_on": "2026-05-01"}, "The first day is after the last one"),
        ({"from_on": "2006-05-02", "to_on": "2026-05-01"}, "at most ten years"),
        ({"period": "5y"}, "is not a value of"),
    ],
)
def test_a_period_that_is_none_is_refused(
    client: Client, site: Site, manager: User, query: dict[str, str], message: str
) -> None:
    client.force_login(manager)
    response = client.get(url("site-dashboard", site.pk), query)
    assert response.status_code == 400
    assert message in text_of(response)


def test_own_days_are_counted_and_a_site_without_exams_is_shown(client: Client, site: Site, manager: User) -> None:
    client.force_login(manager)
    assert "Nothing is counted yet" in page_text(client, "site-dashboard", site.pk)
    CountRun.objects.create(ran_at=timezone.now(), read_until=timezone.now(), n_pending=2)
    response = client.get(url("site-dashboard", site.pk), {"from_on": "2026-01-01", "to_on": "2026-01-31"})
    assert response.status_code == 200
    text = text_of(response)
    assert "2 days have still to be counted" in text
    assert "from_on=2026-01-01" in text, "the other pages keep the days"
    assert "Nothing to count in this period." in text


def test_the_number_of_queries_does_not_grow(client: Client, counted: Site, manager: User) -> None:
    client.force_login(manager)
    pages: list[tuple[Any, ...]] = [
        ("site-dashboard", counted.pk),
        ("site-dashboard-page", counted.pk, "agreement"),
        ("site-dashboard-page", counted.pk, "staff"),
    ]
    before = [count_queries(client, *page) for page in pages]
    for number in range(3):
        store_signed(counted, reader_of(counted), (number, 4), (3, 1))
    update_counts()
    assert [count_queries(client, *page) for page in pages] == before
    assert max(before) <= 18
    assert len(PERIODS) == 3


def test_a_chart_is_mirrored_in_a_language_from_right_to_left() -> None:
    values: dict[str, Any] = {"code": "x", "title": "Eyes", "head": ("Grade", "Eyes"), "rows": ()}
    bars = (Bar("None", 4), Bar("Mild", 1))
    with translation.override("ar"):
        chart = bar_chart(Table(**values, bars=bars))
        columns = bar_chart(Table(**values, bars=bars, is_over_time=True))
    assert 'x="75.00%"' in chart
    assert 'width="25.00%"' in chart
    assert "None: 4; Mild: 1" in chart
    assert columns.index('x="55.000%"') < columns.index('x="5.000%"')
    assert bar_chart(Table(**values)) == ""
