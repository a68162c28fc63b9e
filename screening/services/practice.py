"""Practice of a site: an exam of drawn photographs, to hand over, read and report. What is done there never counts.

It is at a separate site, and not marked at the real one: no metric, register, recall run, message or export of the
real site can count what is not there. Who practises is photographer and reviewer at the practice site alone.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import Action, practice_roles, require
from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.photos.synthetic import synthetic_photograph
from screening.policy.exam_states import PHOTOGRAPHED, WAITING
from screening.selectors.staff import staff_state
from screening.services.audit import record_event
from screening.services.exams import find_or_open_exam
from screening.services.images import attach_image
from screening.services.patients import store_search_terms
from screening.services.staff import Kind, set_roles, store_change

Verb = AuditEvent.Verb
GRADES = {Laterality.RIGHT: ICDRGrade.MODERATE, Laterality.LEFT: ICDRGrade.NONE}


def begin_practice(*, site: Site, by: User) -> Exam:
    """An exam of drawn photographs of both eyes that ``by`` may hand over and read; one that is not signed is kept.

    Raises AccessDenied, and what ``images.attach_image`` raises.
    """
    exam = _open_exam(site, by)
    present = set(exam.images.filter(withdrawn_at=None).values_list("laterality", flat=True))
    for laterality, grade in GRADES.items():
        if exam.is_open and laterality.value not in present:
            file = synthetic_photograph(grade, laterality, exam.pk.int % 100_000)
            attach_image(exam=exam, upload=file, laterality=laterality, is_synthetic=True, by=by)
    return exam


@transaction.atomic
def close_first_run(*, site: Site, by: User) -> None:
    """Hide the first steps of a site, and end the practice: the practice site is hidden."""
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    locked.is_first_run_closed = True
    locked.save(update_fields=["is_first_run_closed"])
    practice = Site.objects.filter(practice_of=locked).first()
    if practice is not None:
        for person in User.objects.filter(memberships__site=practice).distinct():
            roles = staff_state(practice, person).roles
            set_roles(practice, person, ())
            store_change(site=practice, person=person, kind=Kind.DEACTIVATED, roles=roles, by=by)
    record_event(verb=Verb.FIRST_RUN_CLOSED, subject=locked, site=locked, by=by)


@transaction.atomic
def _open_exam(site: Site, by: User) -> Exam:
    locked = Site.objects.select_for_update().get(pk=site.pk)
    require(by, Action.MANAGE_SITE, locked)
    practice = Site.objects.filter(practice_of=locked).first() or _create_site(locked, by)
    roles = practice_roles()
    if set(staff_state(practice, by).roles) != roles or not staff_state(practice, by).is_active:
        set_roles(practice, by, roles)
        store_change(site=practice, person=by, kind=Kind.ROLES_CHANGED, roles=roles, by=by)
    unsigned = Exam.objects.filter(site=practice, status__in=PHOTOGRAPHED | WAITING).order_by("-created_at").first()
    if unsigned is not None:
        return unsigned
    return find_or_open_exam(_create_patient(practice, by), by=by)[0]


def _create_site(site: Site, by: User) -> Site:
    practice = Site(
        name=(_("Practice: %(site)s") % {"site": site.name})[: Site._meta.get_field("name").max_length],
        code=f"practice-{site.pk.hex[:8]}",
        practice_of=site,
        timezone=site.timezone,
        reading_mode=site.reading_mode,
        scale=site.scale,
        model=site.model,
        is_first_run_closed=True,
    )
    practice.full_clean()
    practice.save(force_insert=True)
    record_event(verb=Verb.ROW_ADDED, subject=practice, site=practice, by=by)
    return practice


def _create_patient(practice: Site, by: User) -> Patient:
    number = Patient.objects.filter(site=practice).count() + 1
    patient = Patient(
        site=practice,
        mrn=f"PRACTICE-{number}",
        given_name=str(number),
        family_name=_("Practice, not a patient"),
        born_on="1960",
        sex=Patient.Sex.UNKNOWN,
        diabetes_type=Patient.DiabetesType.TYPE_2,
    )
    patient.full_clean()
    patient.save(force_insert=True)
    store_search_terms(patient)
    record_event(verb=Verb.PATIENT_REGISTERED, subject=patient, site=practice, by=by)
    return patient
