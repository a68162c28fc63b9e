"""First steps of a new site, computed from what is stored: which are done, and which exam is practised with."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, QuerySet

from screening.access import READING_ROLES, Action, can, sites_for, users_for
from screening.models import Document, Exam, Review, Site, SiteProtocol, User
from screening.policy.exam_states import PHOTOGRAPHED, ExamState
from screening.selectors.staff import open_invitations


class FirstStep(StrEnum):
    """What is done at a new site before its first patient, in this order."""

    SITE = "site"
    PROTOCOL = "protocol"
    """A version of the reading protocol is stored, be it the usual one."""
    PEOPLE = "people"
    """A person may read exams, or is invited to."""
    PHOTOGRAPH = "photograph"
    """The practice exam is handed over."""
    READ = "read"
    REPORT = "report"
    """The report of the practice exam is made."""


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The first steps of a site. ``exam``: the newest practice exam."""

    site: Site
    done: frozenset[FirstStep]
    exam: Exam | None

    @property
    def is_complete(self) -> bool:
        return self.done == frozenset(FirstStep)

    @property
    def next_step(self) -> FirstStep | None:
        return next((step for step in FirstStep if step not in self.done), None)


def find_first_run(user: User) -> FirstRun | None:
    """The first steps of a site that ``user`` manages, while they are not complete, closed or overtaken.

    At most one query for a user without such a site.
    """
    if not can(user, Action.MANAGE_SITE):
        return None
    site = _new_sites(user).first()
    run = None if site is None else get_first_run(site)
    return None if run is None or run.is_complete else run


def is_new(user: User, site: Site) -> bool:
    """Whether the page of a site shows its first steps."""
    return _new_sites(user).filter(pk=site.pk).exists()


def _new_sites(user: User) -> QuerySet[Site]:
    signed = Review.objects.filter(exam__site=OuterRef("pk"))
    now_signed = Exam.objects.filter(site=OuterRef("pk"), status=ExamState.SIGNED)  # which an index finds at once
    is_new = ~(Exists(now_signed) | Exists(signed))
    sites = sites_for(user, Action.MANAGE_SITE).filter(is_new, is_first_run_closed=False)
    return sites.order_by("-created_at", "pk")


def get_first_run(site: Site) -> FirstRun:
    """The first steps of a site. Six queries."""
    exams = Exam.objects.filter(site__practice_of=site).exclude(status=ExamState.CANCELLED).order_by("-created_at")
    made = Document.objects.filter(exam__site__practice_of=site, status=Document.Status.DONE)
    is_signed = exams.filter(status=ExamState.SIGNED).exists()
    has_reader = users_for(site, Action.REVIEW_EXAM).exists() or any(
        set(roles) & set(READING_ROLES) for roles in open_invitations(site).values_list("roles", flat=True)
    )
    facts = {
        FirstStep.SITE: True,
        FirstStep.PROTOCOL: SiteProtocol.objects.filter(site=site).exists(),
        FirstStep.PEOPLE: has_reader,
        FirstStep.PHOTOGRAPH: exams.exclude(status__in=PHOTOGRAPHED).exists(),
        FirstStep.READ: is_signed,
        FirstStep.REPORT: is_signed and made.exists(),
    }
    done = frozenset(step for step, is_done in facts.items() if is_done)
    return FirstRun(site, done, exams.select_related("site").first())
