"""Access rules: one table of roles and actions, and rows of other sites that are not found."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from screening import models
from screening.access import (
    AccessDenied,
    Action,
    actions_of,
    can,
    hidden_people_sites,
    require,
    restrict,
    sees_identity,
    sites_for,
)
from screening.models import Membership, Site, User
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReviewFactory,
    UserFactory,
)

P, R, S, M = "photographer", "reviewer", "senior_reviewer", "manager"
OUT, T = "outside_reader", "trainee"
TABLE: dict[Action, set[str]] = {
    Action.VIEW_PATIENT: {P, R, S, M},  # and an outside reader, if the site shows people to them
    Action.VIEW_CASE: {P, R, S, M, OUT},
    Action.REGISTER_PATIENT: {P, M},
    Action.UPDATE_PATIENT: {P, M},
    Action.MANAGE_REGISTER: {P, M},
    Action.OPEN_EXAM: {P, M},
    Action.UPLOAD_IMAGE: {P, M},
    Action.WITHDRAW_IMAGE: {P, M},
    Action.SUBMIT_EXAM: {P, M},
    Action.CANCEL_EXAM: {P, M},
    Action.CORRECT_RECORD: {R, S, M},
    Action.REVIEW_EXAM: {R, S, OUT},
    Action.ARBITRATE_EXAM: {S},
    Action.VIEW_GRADE: {R, S, M, OUT},
    Action.RETRY_GRADING: {P, R, S, M},
    Action.UPDATE_REFERRAL: {P, M},
    Action.PREDICT_PHOTO: {P, R, S, M},
    Action.VIEW_AUDIT: {M},
    Action.MANAGE_SITE: {M},
    Action.VIEW_TEACHING_SET: {R, S, M, OUT, T},
    Action.READ_TEACHING_SET: {R, S, OUT, T},
}


def test_the_table_names_every_action() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", [P, R, S, M, OUT, T])
def test_a_role_allows_the_actions_of_the_table_at_its_site_only(
    site: Site, other_site: Site, role: str, action: Action
) -> None:
    user = MembershipFactory(site=site, role=role).user
    is_allowed = role in TABLE[action]
    assert can(user, action, site) is is_allowed
    assert can(user, action) is is_allowed
    assert can(user, action, other_site) is False
    assert (action in actions_of(user)) is is_allowed


def test_an_outside_reader_sees_people_if_the_site_shows_them(site: Site) -> None:
    user = MembershipFactory(site=site, role=OUT).user
    assert list(hidden_people_sites(user)) == [site]
    Site.objects.update(hides_identity=False)
    assert can(user, Action.VIEW_PATIENT, site)
    assert Action.VIEW_PATIENT in actions_of(user)
    assert not hidden_people_sites(user).exists()
    Site.objects.update(hides_identity=True)
    MembershipFactory(user=user, site=site, role=P)
    assert sees_identity(user, site)


def test_two_roles_add_up(site: Site, reviewer: User) -> None:
    MembershipFactory(user=reviewer, site=site, role=Membership.Role.PHOTOGRAPHER)
    assert can(reviewer, Action.REVIEW_EXAM, site)
    assert can(reviewer, Action.UPLOAD_IMAGE, site)
    assert list(sites_for(reviewer)) == [site]


def test_a_superuser_acts_by_membership_too(site: Site) -> None:
    chief = UserFactory(is_staff=True, is_superuser=True)
    assert not any(can(chief, action, site) for action in Action)


def test_an_inactive_account_or_site_allows_nothing(site: Site, photographer: User) -> None:
    assert can(photographer, Action.VIEW_PATIENT, site)
    photographer.is_active = False
    assert not can(photographer, Action.VIEW_PATIENT, site)
    photographer.is_active = True
    Site.objects.update(is_active=False)
    assert not can(photographer, Action.VIEW_PATIENT, site)


@pytest.mark.parametrize("unknown", [AnonymousUser(), None, "photographer"])
def test_an_unknown_user_may_do_nothing(site: Site, unknown: Any) -> None:
    assert not can(unknown, Action.PREDICT_PHOTO, site)
    assert not sites_for(unknown).exists()


def test_a_refusal_has_a_message_and_is_a_403(site: Site, reviewer: User) -> None:
    with pytest.raises(AccessDenied, match="Ask the site's manager") as caught:
        require(reviewer, Action.UPLOAD_IMAGE, site)
    assert isinstance(caught.value, PermissionDenied)


def test_rows_of_another_site_are_not_found(site: Site, photographer: User, outsider: User) -> None:
    exam = ExamFactory(patient__site=site)
    grading = GradingFactory(image=FundusImageFactory(exam=exam))
    finding = EyeFindingFactory(review=ReviewFactory(exam=exam))
    reading = models.FirstReading.objects.create(
        exam=exam, reviewer=photographer, laterality="OD", is_gradable=True, grade=0
    )
    event = models.AuditEvent.objects.create(verb="exam.viewed", object_type="exam", site=site)
    rows = [site, exam.patient, exam, grading.image, grading, finding.review, finding, reading, event]
    for row in rows:
        everything = type(row)._default_manager.filter(pk=row.pk)
        assert restrict(everything, photographer).exists(), row
        assert not restrict(everything, outsider).exists(), row
        assert not restrict(everything, AnonymousUser()).exists(), row


def test_a_row_is_not_repeated_for_a_user_with_several_roles(site: Site, manager: User) -> None:
    MembershipFactory(user=manager, site=site, role=Membership.Role.REVIEWER)
    patient = PatientFactory(site=site)
    assert list(restrict(models.Patient.objects.all(), manager)) == [patient]


def test_a_model_without_a_site_cannot_be_restricted(photographer: User) -> None:
    with pytest.raises(KeyError):
        restrict(models.ApiKey.objects.all(), photographer)
