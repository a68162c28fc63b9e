"""The lists of pages and API that ``benchmarks.rows`` times: first page, a deep page, a search, filters."""

import datetime
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import reverse
from django.utils import timezone

from screening.access import Action, sites_for, sites_to_audit
from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.policy.audit import AuditGroup

DEEP_PAGE = "1000"
"""Of 25 rows each; lists that are shorter show their last page."""
ABSENT_PAGE = "1000000"


@dataclass(frozen=True, slots=True)
class Listing:
    """A request for one list. With a ``body`` it is a search, which is sent by POST. ``status``: of the response."""

    name: str
    address: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] | None = None
    status: int = 200


def listings(user: User) -> Iterator[Listing]:
    """All lists as ``user`` would request them; some are refused to some roles."""
    site = sites_for(user, Action.VIEW_CASE).order_by("code")[0]
    yield from _worklist(site)
    yield from _people(user)
    yield from _referrals_and_results(site)
    yield from _of_site(user, site)
    yield from _api(user, site)


def _worklist(site: Site) -> Iterator[Listing]:
    page = reverse("screening:worklist")
    chosen: dict[str, dict[str, str]] = {
        "first page": {},
        "deep page": {"page": DEEP_PAGE},
        "by due time": {"sort": "due"},
        "longest waiting": {"sort": "waiting"},
        "by patient": {"sort": "patient"},
        "one site": {"site": site.code},
        "overdue": {"overdue": "yes"},
        "mine": {"mine": "yes"},
        "not gradable": {"quality": "ungraded"},
        "second reading": {"reading": "second"},
        "being photographed": {"state": "open"},
    }
    for name, parameters in chosen.items():
        yield Listing(f"worklist, {name}", page, parameters)
    yield Listing("worklist, page 1,000,000", page, {"page": ABSENT_PAGE}, status=400)
    yield Listing("worklist, search", page, body={"text": "bada"})
    yield Listing("worklist, search of one letter", page, body={"text": "b"})


def _people(user: User) -> Iterator[Listing]:
    page = reverse("screening:patient-list")
    yield Listing("patients, first page", page)
    yield Listing("patients, deep page", page, {"page": DEEP_PAGE})
    yield Listing("patients, page 1,000,000", page, {"page": ABSENT_PAGE}, status=400)
    number = Patient.objects.filter(site__in=sites_for(user)).order_by("pk").values_list("mrn", flat=True).first()
    for name, text in {"name": "bada", "two names": "bada ba", "number": number or "", "one letter": "b"}.items():
        yield Listing(f"patients, search by {name}", page, body={"text": text})
    yield Listing("patients, search by %", page, body={"text": "%"})
    yield Listing("search everywhere", reverse("screening:search"), body={"text": "bada"})


def _referrals_and_results(site: Site) -> Iterator[Listing]:
    month = timezone.localdate() - datetime.timedelta(days=60)
    lists: dict[str, dict[str, dict[str, str]]] = {
        "referrals": {
            "first page": {},
            "deep page": {"page": DEEP_PAGE},
            "late": {"late": "yes"},
            "one site": {"site": site.code},
            "closed": {"state": "result_back"},
        },
        "results": {
            "first page": {},
            "deep page": {"page": DEEP_PAGE},
            "one site": {"site": site.code},
            "referred": {"outcome": "refer"},
            "of two weeks": {"from_on": str(month), "to_on": str(month + datetime.timedelta(days=14))},
        },
    }
    for route, chosen in lists.items():
        for name, parameters in chosen.items():
            yield Listing(f"{route}, {name}", reverse(f"screening:{route}"), parameters)
    yield Listing("referrals, search", reverse("screening:referrals"), body={"text": "bada"})


def _of_site(user: User, site: Site) -> Iterator[Listing]:
    """Lists of one site: people who are due, bookings, messages, audit events."""
    due = reverse("screening:site-due-list", args=[site.pk])
    yield Listing("due list, first page", due)
    yield Listing("due list, deep page", due, {"page": DEEP_PAGE})
    yield Listing("due list, overdue", due, {"state": "overdue"})
    yield Listing("due list, next step", due, {"step": "invite"})
    yield Listing("due list, search", due, body={"text": "bada"})
    bookings = reverse("screening:site-bookings", args=[site.pk])
    yield Listing("bookings, today", bookings)
    yield Listing("bookings, search", bookings, body={"text": "bada"})
    yield Listing("messages", reverse("screening:site-messages", args=[site.pk]))
    yield Listing("letters", reverse("screening:site-letter-batches", args=[site.pk]))
    yield Listing("jobs", reverse("screening:jobs"))
    if not sites_to_audit(user).filter(pk=site.pk).exists():
        return
    audit = reverse("screening:site-audit", args=[site.pk])
    events = AuditEvent.objects.filter(site=site)
    deep = events.filter(at__lt=timezone.now() - datetime.timedelta(days=600)).order_by("-at").first()
    patient = Patient.objects.filter(site=site).order_by("pk").first()
    day = str(timezone.localdate() - datetime.timedelta(days=400))
    yield Listing("audit, first page", audit)
    for name, parameters in {
        "deep page": {"before": str(deep and deep.pk)},
        "one person": {"person": str(deep and deep.actor_id)},
        "one patient": {"patient": str(patient and patient.pk)},
        "one action": {"action": AuditGroup.READINGS.value},
        "one day": {"from_on": day, "to_on": day},
    }.items():
        yield Listing(f"audit, {name}", audit, parameters)


def _api(user: User, site: Site) -> Iterator[Listing]:
    exam = Exam.objects.filter(site=site).order_by("pk").first()
    deep = {"cursor": _cursor(timezone.now() - datetime.timedelta(days=600))}
    registered = _cursor(_middle(Patient.objects.filter(site__in=sites_for(user))))
    for name in ("exams", "images", "gradings"):
        yield Listing(f"API {name}, first page", reverse(f"api:{name}"))
        yield Listing(f"API {name}, deep page", reverse(f"api:{name}"), deep)
    yield Listing("API exams, signed", reverse("api:exams"), {"status": "signed"})
    yield Listing("API exams, submitted", reverse("api:exams"), {"status": "submitted"})
    yield Listing("API exams, of a patient", reverse("api:exams"), {"patient": str(exam and exam.patient_id)})
    yield Listing("API images, of an exam", reverse("api:images"), {"exam": str(exam and exam.pk)})
    yield Listing("API gradings, of an exam", reverse("api:gradings"), {"exam": str(exam and exam.pk)})
    yield Listing("API gradings, failed", reverse("api:gradings"), {"status": "failed"})
    yield Listing("API patients, first page", reverse("api:patients"))
    yield Listing("API patients, deep page", reverse("api:patients"), {"cursor": registered})
    yield Listing("API patients, search", reverse("api:patient-search"), body={"text": "bada"})
    yield Listing("API referrals, first page", reverse("api:referrals"))
    yield Listing("API referrals, closed", reverse("api:referrals"), {"state": "result_back"})
    yield Listing("API due list", reverse("api:site-due-list", args=[site.pk]))
    yield Listing("API bookings", reverse("api:site-bookings", args=[site.pk]))
    yield from _fhir(exam)


def _fhir(exam: Exam | None) -> Iterator[Listing]:
    reports, patient = reverse("fhir:reports"), {"patient": str(exam and exam.patient_id)}
    now = timezone.now()
    chosen: dict[str, dict[str, str]] = {
        "first page": {},
        "deep page": {"_cursor": _cursor(now - datetime.timedelta(days=600))},
        "with observations": {"_include": "DiagnosticReport:result"},
        "of a patient": patient,
        "final": {"status": "final"},
        "amended": {"status": "amended"},
        "corrected": {"status": "corrected"},
        "entered in error": {"status": "entered-in-error"},
        "changed in a day": {"_lastUpdated": f"ge{now - datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"},
    }
    for name, parameters in chosen.items():
        yield Listing(f"FHIR reports, {name}", reports, parameters)
    yield Listing("FHIR studies, first page", reverse("fhir:studies"))
    yield Listing("FHIR observations, of a patient", reverse("fhir:observations"), patient)


def _middle(rows: QuerySet[Any, Any]) -> datetime.datetime:
    """A time of creation with many newer rows."""
    found: Model | None = rows.order_by("created_at").first()
    return found.created_at + datetime.timedelta(days=3) if found else timezone.now()  # type: ignore[attr-defined]


def _cursor(moment: datetime.datetime) -> str:
    """The position of a page of the API that begins after a time."""
    return b64encode(urlencode({"p": str(moment)}).encode()).decode()


def request(client: Client, listing: Listing) -> Any:
    """The response to one request, an ``HttpResponse``."""
    if listing.body is None:
        return client.get(listing.address, listing.parameters)
    is_api = listing.address.startswith("/api/")
    kind = "application/json" if is_api else MULTIPART_CONTENT
    return client.post(listing.address, listing.body, content_type=kind)


def n_rows_shown(content: bytes) -> int:
    """Number of rows of the tables of a page without their heads, or of the results of the API or of a FHIR bundle."""
    if content.startswith(b"{"):
        body = json.loads(content)
        return len(body.get("entry", ()) if "resourceType" in body else body["results"])
    return content.count(b"<tr") - content.count(b"<thead")
