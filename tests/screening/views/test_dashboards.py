"""The dashboard: what its pages show, to whom, in how many queries; its exported tables."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from ml.vocabulary import Laterality
from screening.models import (
    AuditEvent,
    CountRun,
    Exam,
    FirstReading,
    Programme,
    Site,
    User,
)
from screening.policy.dashboard_tables import Bar, Table
from screening.services.daily_counts import update_counts
from screening.templatetags.dashboards import bar_chart
from screening.views.dashboards import PERIODS
from tests.screening.factories import (
    EyeFindingFactory,
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
