"""Whether a user may see the model's grade: for one grading as for lists."""

import pytest

from screening.access import Action, sites_for
from screening.models import Membership, Site, User
from screening.policy.exam_states import ExamState
from screening.selectors import get_revealed_grading, list_gradings
from screening.selectors.gradings import list_site_views, reads_blind
from screening.selectors.sites import zones_of_sites
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory

Role = Membership.Role


@pytest.mark.parametrize("reading_mode", Site.ReadingMode.values)
@pytest.mark.parametrize("status", ExamState)
@pytest.mark.parametrize("roles", [(Role.PHOTOGRAPHER,), (Role.REVIEWER,), (Role.MANAGER, Role.PHOTOGRAPHER)])
def test_a_grading_is_revealed_as_in_a_list(
    reading_mode: str, status: ExamState, roles: tuple[Role, ...], site: Site
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=reading_mode)
    user = User.objects.create_user("reader")
    for role in roles:
        MembershipFactory(user=user, site=site, role=role)
    is_handed_over = status not in {ExamState.OPEN, ExamState.RETURNED}
    exam = ExamFactory(patient__site=site, is_submitted=is_handed_over)
    grading = GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
    type(exam).objects.filter(pk=exam.pk).update(status=status, returned_at=exam.created_at)
    found = get_revealed_grading(user=user, grading_id=grading.pk)
    assert found.is_revealed == list_gradings(user=user).get(pk=grading.pk).is_revealed  # type: ignore[attr-defined]
    assert found.exam_id == exam.pk  # type: ignore[attr-defined]


@pytest.mark.parametrize("hides_identity", [False, True])
@pytest.mark.parametrize("sees_grades", [None, False, True])
@pytest.mark.parametrize("reading_mode", Site.ReadingMode.values)
def test_a_site_is_seen_as_its_exams_are(
    reading_mode: str, sees_grades: bool | None, hides_identity: bool, site: Site
) -> None:
    changes = {"reading_mode": reading_mode, "photographers_see_grades": sees_grades, "hides_identity": hides_identity}
    Site.objects.filter(pk=site.pk).update(**changes)
    for role in Role:
        user = User.objects.create_user(f"only {role}")
        MembershipFactory(user=user, site=site, role=role)
        sites = sites_for(user, Action.VIEW_CASE)
        is_blind, sees = Site.objects.filter(reads_blind(user, site="")), sites_for(user)
        assert {pk: (view.is_blind, view.sees_identity) for pk, view in list_site_views(user).items()} == {
            one.pk: (one in is_blind, one in sees) for one in sites
        }
        assert {one.site_id for one in zones_of_sites(user)} == {one.pk for one in sees}
