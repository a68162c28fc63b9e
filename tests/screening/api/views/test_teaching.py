"""Teaching sets and certificates by the API: to read, without anything of an exam."""

import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from screening.models import Exam, Site, User
from screening.services.teaching_certificates import issue_certificate
from tests.screening.api.client import ApiClient
from tests.screening.factories import MembershipFactory
from tests.screening.teaching import read_case, signed_exam, teaching_set


def test_a_reader_gets_own_certificates_and_a_manager_all(site: Site, manager: User, reviewer: User) -> None:
    trainee = MembershipFactory(site=site, role="trainee").user
    course = teaching_set(manager, [signed_exam(site)])
    read_case(course.cases.get(), trainee)
    certificate = issue_certificate(teaching_set=course, by=trainee)
    for user, n_seen in ((trainee, 1), (manager, 1), (reviewer, 0)):
        found = ApiClient(user).get("teaching-certificates").body["results"]
        assert [one["id"] for one in found] == [str(certificate.pk)] * n_seen
    shown = ApiClient(trainee).get("teaching-certificates").body["results"][0]
    assert (shown["name"], shown["version"], shown["n_eyes"], shown["sensitivity"]) == ("Course", 1, 2, [1, 1])
    sets = ApiClient(trainee).get("teaching-sets").body["results"]
    assert [(one["n_cases"], one["n_read"]) for one in sets] == [(1, 1)]
    exam = Exam.objects.get()
    text = json.dumps([shown, sets])
    assert not any(str(one) in text for one in (exam.pk, exam.patient_id, exam.patient.mrn, exam.patient.family_name))


def test_lists_take_a_constant_number_of_queries(site: Site, manager: User) -> None:
    client = ApiClient(manager)
    counts = []
    for number in range(2):
        teaching_set(manager, [signed_exam(site)], name=f"Course {number}")
        client.get("teaching-sets")
        with CaptureQueriesContext(connection) as queries:
            client.get("teaching-sets")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6
