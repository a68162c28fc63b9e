"""Reading protocols of sites: versions, what they need, the figures that triage needs."""

import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Site, SiteProtocol, User
from screening.policy.proportions import Proportion
from screening.policy.protocols import Protocol, ProtocolKind
from screening.selectors.protocols import model_sensitivity, protocol_in_force
from screening.services import protocols
from screening.services.protocols import ProtocolRefused, save_protocol
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    ReviewFactory,
)

DOUBLE = Protocol(kind=ProtocolKind.DOUBLE_ALL)


@pytest.fixture
def readers(site: Site) -> None:
    """Two readers and a senior reviewer."""
    for role in ("reviewer", "reviewer", "senior_reviewer"):
        MembershipFactory(site=site, role=role)


def save(site: Site, by: User, protocol: Protocol = DOUBLE, **more: Any) -> SiteProtocol:
    return save_protocol(
        **{"site": site, "protocol": protocol, "reason": "Programme rules", "base_number": 0, "by": by, **more}
    )


@pytest.mark.usefixtures("readers")
def test_each_version_is_kept_and_the_newest_counts(site: Site, manager: User, reviewer: User) -> None:
    assert protocol_in_force(site) == Protocol()
    first = save(site, manager)
    assert save(site, manager) == first, "the same form sent twice"
    assert protocol_in_force(site) == DOUBLE
    again = save(site, manager, Protocol(), base_number=1)
    assert (first.number, again.number, protocol_in_force(site)) == (1, 2, Protocol())
    with pytest.raises(ProtocolRefused, match="Nothing differs"):
        save(site, manager, Protocol(), base_number=2, reason="Another one")
    assert AuditEvent.objects.filter(verb="site.protocol_changed", site=site).count() == 2
    for change in (lambda: SiteProtocol.objects.update(number=7), first.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(AccessDenied):
        save(site, reviewer)


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": " "}, "Enter the reason"),
        ({"reason": "x" * 301}, "300"),
        ({"base_number": 4}, "meanwhile"),
        ({"protocol": Protocol(kind=ProtocolKind.TRIAGE)}, "at least 100 referable eyes.*No referable eye"),
    ],
)
def test_a_version_is_refused_with_one_sentence(
    site: Site, manager: User, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProtocolRefused, match=message):
        save(site, manager, **changes)
    assert not SiteProtocol.objects.exists()


def test_double_reading_needs_a_senior_reviewer_and_three_persons(site: Site, manager: User, reviewer: User) -> None:
    with pytest.raises(ProtocolRefused, match="no senior reviewer"):
        save(site, manager)
    MembershipFactory(site=site, user=reviewer, role="senior_reviewer")
    MembershipFactory(site=site, role="reviewer")
    with pytest.raises(ProtocolRefused, match="three persons"):
        save(site, manager)
    MembershipFactory(site=site, role="reviewer")
    assert save(site, manager).number == 1
    assert save(site, manager, Protocol(negative_percent=5), base_number=1).number == 2


@pytest.mark.usefixtures("readers")
def test_triage_is_switched_on_by_the_results_of_the_site(
    site: Site, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    triage = Protocol(kind=ProtocolKind.TRIAGE)
    monkeypatch.setattr(protocols, "model_sensitivity", lambda _site: Proportion(91, 100))
    with pytest.raises(ProtocolRefused, match=r"lower limit is at least 85 %.*91 of 100 .* 91.0 % .*83.8 to 95.2"):
        save(site, manager, triage)
    monkeypatch.setattr(protocols, "model_sensitivity", lambda _site: Proportion(93, 100))
    assert save(site, manager, triage).measured == {"n_flagged": 93, "n_referable": 100}


def signed_eye(site: Site, *, grade: int | None, is_flagged: bool | None, **finding: Any) -> None:
    """A signed eye with a grading before the signature; ``is_flagged`` None: the model could not grade it."""
    exam = ExamFactory(patient__site=site, is_submitted=True, status="signed")
    image = FundusImageFactory(exam=exam, laterality="OD")
    result = {"is_ungradable": True} if is_flagged is None else {"is_done": True, "grade": 2 if is_flagged else 0}
    GradingFactory(image=image, finished_at=timezone.now(), **result)
    later = GradingFactory(image=image, is_done=True, grade=4, model_version="later")
    later.finished_at = timezone.now() + datetime.timedelta(days=1)
    later.save()
    review = ReviewFactory(exam=exam, signed_at=timezone.now())
    EyeFindingFactory(review=review, laterality="OD", grade=grade, is_gradable=grade is not None, **finding)


def test_sensitivity_counts_the_referable_eyes_of_the_site_by_the_result_at_the_signature(
    site: Site, other_site: Site
) -> None:
    signed_eye(site, grade=2, is_flagged=True)
    signed_eye(site, grade=3, is_flagged=False)
    signed_eye(site, grade=0, is_flagged=False, macular_oedema="centre")
    signed_eye(site, grade=1, is_flagged=True)  # not referable
    signed_eye(site, grade=4, is_flagged=None)  # not graded by the model
    signed_eye(other_site, grade=4, is_flagged=True)
    assert model_sensitivity(site) == Proportion(1, 3)
