"""Rows of every model that the panel lists, and forms that it receives."""

from typing import Any

from django.db.models import BooleanField

from screening.models import AuditEvent, FirstReading, Programme, Site
from screening.services.api_keys import issue_key
from screening.services.audit import record_event
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    ReviewFactory,
    SiteFactory,
    SiteThresholdFactory,
    VisualAcuityFactory,
)


def create_records(n: int) -> None:
    for _ in range(n):
        site = SiteFactory()
        user = MembershipFactory(site=site).user
        Programme.objects.create(name=f"Programme of {site.name}")
        exam = ExamFactory(patient__site=site)
        GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
        EyeFindingFactory(review=ReviewFactory(exam=exam, reviewer=user))
        SiteThresholdFactory(site=site, created_by=user)
        FirstReading.objects.create(exam=exam, reviewer=user, laterality="OD", is_gradable=True, grade=0)
        VisualAcuityFactory(exam=exam, recorded_by=user)
        issue_key(user=user, name="program", by=None)
        record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=site, by=user)


def site_form(site: Site) -> dict[str, Any]:
    """The form of a site with every field that must be filled in."""
    fields = [one for one in Site._meta.fields if one.editable and not one.blank and not isinstance(one, BooleanField)]
    return {one.name: getattr(site, one.name) for one in fields} | {"is_active": "on"}
