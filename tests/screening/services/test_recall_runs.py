"""The periodic task of call and recall."""

import datetime

import pytest
from django.utils import timezone

from screening import tasks
from screening.health import programme
from screening.health.checks import HealthCheckError
from screening.models import AuditEvent, Patient, RecallRun, RegisterEntry, Site
from screening.services.recall_runs import run_recall
from tests.screening.factories import PatientFactory


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def suspend(site: Site, until: int) -> Patient:
    patient = PatientFactory(site=site, register_status="suspended", register_until=day(until))
    RegisterEntry.objects.create(
        patient=patient, status="suspended", reason="pregnancy_pathway", from_on=day(-90), until_on=day(until)
    )
    return patient


def test_a_missed_night_is_made_up_and_a_second_run_changes_nothing(site: Site) -> None:
    ended, running = suspend(site, -4), suspend(site, 0)
    run = run_recall()
    assert run.n_ended == 1
    ended.refresh_from_db()
    assert (ended.register_status, ended.due_on) == ("eligible", day(0))  # registered today
    newest = ended.register_entries.all()[0]
    assert (newest.reason, newest.from_on, newest.recorded_by) == ("period_ended", day(-3), None)
    assert AuditEvent.objects.get(verb="patient.register_changed").actor is None
    running.refresh_from_db()
    assert (running.register_status, running.due_on) == ("suspended", day(1))
    again = run_recall()
    assert (again.n_ended, again.n_changed) == (0, 0)
    assert RecallRun.objects.count() == 1


def test_the_task_runs_it(site: Site) -> None:
    tasks.run_recall()
    assert RecallRun.objects.exists()


def test_doctor_reports_a_task_that_does_not_run(site: Site) -> None:
    PatientFactory(site=site)
    assert programme.check_recall() == "no patient was registered more than a day ago"
    Patient.objects.update(created_at=timezone.now() - datetime.timedelta(days=2))
    with pytest.raises(HealthCheckError, match="never computed"):
        programme.check_recall()
    run_recall()
    assert programme.check_recall() == "due dates were computed 0 h ago"
    RecallRun.objects.update(ran_at=timezone.now() - datetime.timedelta(hours=30))
    with pytest.raises(HealthCheckError, match="30 h ago"):
        programme.check_recall()
