"""Made-up people with exams, photographs, gradings and results, written to PostgreSQL by a few statements.

Each row follows from the number of a person, so that a database can grow later: ids are hashes of the number.
"""

from collections.abc import Callable

from django.db.backends.utils import CursorWrapper

from benchmarks import exam_rows
from benchmarks.statements import fixed_id, insert, loading
from screening.models import (
    Booking,
    Membership,
    Patient,
    PatientSearchTerm,
    Programme,
    ProgrammeMembership,
    RegisterEntry,
    Site,
    User,
)

N_SITES, N_READERS = 10, 20
ROLES = {
    "photographer": (Membership.Role.PHOTOGRAPHER, 1),
    "reviewer": (Membership.Role.REVIEWER, 3),
    "senior reviewer": (Membership.Role.SENIOR_REVIEWER, N_SITES),
    "outside reader": (Membership.Role.OUTSIDE_READER, 3),
    "manager": (Membership.Role.MANAGER, 1),
}
"""The users whose lists are timed, with their role and the number of their sites."""
PROGRAMME_MANAGER = "programme manager"
TABLES: tuple[Callable[[CursorWrapper], None], ...] = (
    exam_rows.fill_exams,
    exam_rows.fill_photographs,
    exam_rows.fill_results,
    exam_rows.fill_referrals,
    exam_rows.fill_events,
)

_PEOPLE = """
CREATE TEMPORARY TABLE person ON COMMIT DROP AS
SELECT n, pg_temp.row_id('patient', n, 0) AS id, (ARRAY[{sites}]::uuid[])[1 + mod(n, {n_sites})] AS site_id,
       pg_temp.word(pg_temp.pick(n, 1, 40000)) AS family_name, pg_temp.word(pg_temp.pick(n, 2, 3000)) AS given_name,
       pg_temp.pick(n, 3, 100) AS chance,
       now() - interval '3 years' - interval '1 minute' * pg_temp.pick(n, 4, 9999) AS registered_at
FROM generate_series({first}, {last}) AS n
"""


def fill_staff() -> None:
    """Sites of one programme, the readers who signed, and one user of each role. No one has a password."""
    programme = Programme.objects.create(name="Programme")
    modes = list(Site.ReadingMode)
    sites = [
        Site(
            pk=fixed_id("site", n),
            name=f"Clinic {n}",
            code=f"clinic-{n}",
            programme=programme,
            reading_mode=modes[n % len(modes)],
        )
        for n in range(N_SITES)
    ]
    Site.objects.bulk_create(sites)
    User.objects.bulk_create(User(pk=fixed_id("reader", n), username=f"reader-{n}") for n in range(N_READERS))
    for name, (role, n_sites) in ROLES.items():
        user = User.objects.create(username=name)
        Membership.objects.bulk_create(Membership(user=user, site=site, role=role) for site in sites[:n_sites])
    manager = User.objects.create(username=PROGRAMME_MANAGER)
    ProgrammeMembership.objects.create(programme=programme, user=manager)


def fill(*, first: int, last: int) -> None:
    """Add the people of these numbers with all that is recorded of them; ``fill_staff`` comes first."""
    with loading() as cursor:
        sites = ", ".join(f"'{fixed_id('site', n)}'" for n in range(N_SITES))
        readers = [fixed_id("reader", n) for n in range(N_READERS)]
        cursor.execute(_PEOPLE.format(sites=sites, n_sites=N_SITES, first=first, last=last))
        exam_rows.make_visits(cursor, readers)
        _fill_people(cursor)
        for fill_table in TABLES:
            fill_table(cursor)


def _fill_people(cursor: CursorWrapper) -> None:
    """Patients with the terms by which they are found; 3 of 100 left the register, 10 of 100 have an appointment."""
    insert(
        cursor,
        Patient,
        "person",
        id="id",
        created_at="registered_at",
        site_id="site_id",
        mrn="lpad(n::text, 8, '0')",
        folded_mrn="lpad(n::text, 8, '0')",
        family_name="initcap(family_name)",
        given_name="initcap(given_name)",
        folded_name="family_name || ' ' || given_name",
        name_key="family_name || given_name",  # compared with those of new people only
        born_on="(date '1940-01-01' + pg_temp.pick(n, 5, 20000))::text",
        diabetes_type="'2'",
        register_status="CASE WHEN chance >= 97 THEN 'moved' ELSE 'eligible' END",
        due_on="CASE WHEN chance BETWEEN 80 AND 89 THEN NULL ELSE current_date - 90 + pg_temp.pick(n, 6, 500) END",
        screened_on="current_date - 30 - pg_temp.pick(n, 7, 300)",
        next_step_on="current_date - 90 + pg_temp.pick(n, 6, 500)",
    )
    insert(cursor, PatientSearchTerm, "person", patient_id="id", term="family_name")
    insert(cursor, PatientSearchTerm, "person WHERE given_name <> family_name", patient_id="id", term="given_name")
    insert(
        cursor,
        RegisterEntry,
        "person",
        id="pg_temp.row_id('register', n, 0)",
        created_at="registered_at",
        patient_id="id",
        status="CASE WHEN chance >= 97 THEN 'moved' ELSE 'eligible' END",
        reason="CASE WHEN chance >= 97 THEN 'out_of_area' ELSE 'eligible_again' END",
        from_on="registered_at::date",
    )
    insert(
        cursor,
        Booking,
        "person WHERE chance BETWEEN 10 AND 19",
        id="pg_temp.row_id('booking', n, 0)",
        created_at="now()",
        site_id="site_id",
        patient_id="id",
        day="current_date + pg_temp.pick(n, 8, 60)",
        time="time '08:00' + interval '10 minutes' * pg_temp.pick(n, 9, 50)",
    )
