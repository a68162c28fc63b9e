"""Three exams of each made-up person, a year apart, with photographs, gradings, results, referrals, audit events.

Of 100 exams 2 wait for a reader, a few are open, the others are signed.
"""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from benchmarks.statements import insert
from screening.models import (
    AuditEvent,
    Exam,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Heatmap,
    Referral,
    ReferralEvent,
    Review,
)
from screening.policy.default_outcomes import CURRENT_VERSION

_VISITS = """
CREATE TEMPORARY TABLE visit ON COMMIT DROP AS
SELECT visits.*, pg_temp.row_id('exam', n, number) AS id, pg_temp.row_id('review', n, number) AS review_id,
       CASE status WHEN 'signed' THEN now() - interval '1 year' * (2 - number) - interval '10 days'
           - interval '1 minute' * pg_temp.pick(seed, 11, 60 * 24 * 300)
           ELSE now() - interval '1 minute' * (60 + pg_temp.pick(seed, 11, 60 * 24 * 10)) END AS created_at,
       interval '1 hour' * (1 + pg_temp.pick(seed, 12, 100)) AS reading_time,
       (ARRAY[{readers}]::uuid[])[1 + pg_temp.pick(seed, 13, {n_readers})] AS reader_id,
       ('{{{grades}}}'::int[])[1 + pg_temp.pick(seed, 14, 100)] AS right_grade,
       ('{{{grades}}}'::int[])[1 + pg_temp.pick(seed, 15, 100)] AS left_grade
FROM (SELECT person.n, person.id AS patient_id, person.site_id, number, n * 3 + number AS seed,
             CASE WHEN number = 2 AND chance < 6 THEN 'submitted'
                  WHEN number = 2 AND mod(n, 1000) = 7 THEN 'open' ELSE 'signed' END AS status
      FROM person CROSS JOIN generate_series(0, 2) AS number) AS visits
"""
_EYES = """
CREATE TEMPORARY TABLE eye ON COMMIT DROP AS
SELECT visit.*, laterality, eye_number, number * 2 + eye_number AS photo_number,
       pg_temp.row_id('image', n, number * 2 + eye_number) AS image_id,
       CASE eye_number WHEN 0 THEN right_grade ELSE left_grade END AS grade,
       pg_temp.pick(seed * 2 + eye_number, 21, 100) < 94 AS is_gradable
FROM visit CROSS JOIN (VALUES ('OD', 0), ('OS', 1)) AS eyes (laterality, eye_number)
"""
# The grid of the served models has ten cells a side.
_HEATMAPS = """
CREATE TEMPORARY TABLE heat ON COMMIT DROP AS SELECT number AS heat_number, (
    SELECT decode('0a0a' || string_agg(lpad(to_hex(mod(step, 256) * 256 + step / 256), 4, '0'), ''), 'hex')
    FROM (SELECT mod(number * 31 + x * 7 + y * 13, 997) * 10000 / 997 AS step
          FROM generate_series(1, 10) AS x, generate_series(1, 10) AS y) AS steps) AS heatmap
FROM generate_series(0, 96) AS number
"""
_GRADES = [0] * 78 + [1] * 15 + [2] * 4 + [3] * 2 + [4]
_WORST = "greatest(right_grade, left_grade)"
_OUTCOME = f"CASE WHEN {_WORST} >= 2 THEN 'refer' ELSE 'rescreen' END"
_URGENCY = f"CASE WHEN {_WORST} >= 2 THEN 'soon' ELSE 'routine' END"
_SIGNED_AT = "created_at + reading_time"
_SIGNED = "visit WHERE status = 'signed'"


def make_visits(cursor: CursorWrapper, readers: Sequence[UUID]) -> None:
    """The temporary tables from which all rows of exams are made."""
    cursor.execute(
        _VISITS.format(
            readers=", ".join(f"'{one}'" for one in readers),
            n_readers=len(readers),
            grades=", ".join(map(str, _GRADES)),
        )
    )
    cursor.execute(_EYES)
    cursor.execute(_HEATMAPS)
    cursor.execute("ANALYZE visit, eye")


def fill_exams(cursor: CursorWrapper) -> None:
    """Exams with the stored order of the worklist."""
    submitted_at = "created_at + interval '25 minutes'"
    due_at = f"{submitted_at} + interval '14 days' - interval '1 hour' * pg_temp.pick(seed, 16, 300)"
    insert(
        cursor,
        Exam,
        "visit",
        id="id",
        created_at="created_at",
        site_id="site_id",
        patient_id="patient_id",
        status="status",
        opened_by_id="reader_id",
        submitted_at=f"CASE WHEN status <> 'open' THEN {submitted_at} END",
        due_at=f"CASE WHEN status <> 'open' THEN {due_at} END",
        quality="(ARRAY['good', 'good', 'good', 'limited', 'ungraded'])[1 + pg_temp.pick(seed, 17, 5)]",
        worklist_band="CASE WHEN pg_temp.pick(seed, 18, 10) = 0 THEN 0 ELSE 3 END",
        worklist_rank=f"CASE WHEN {_WORST} >= 3 THEN 0 WHEN {_WORST} = 2 THEN 1 ELSE 5 END",
        worst_grade=_WORST,
        max_p_referable=f"0.1 + 0.2 * {_WORST}",
    )


def fill_photographs(cursor: CursorWrapper) -> None:
    """One of each eye, graded once, with a heatmap."""
    insert(
        cursor,
        FundusImage,
        "eye",
        id="image_id",
        created_at="created_at + interval '5 minutes'",
        exam_id="id",
        laterality="laterality",
        sha256="md5(image_id::text) || md5(image_id::text)",
        file="'photos/00/' || image_id || '.jpg'",
        format="'JPEG'",
        width_px="2000",
        height_px="1500",
        n_bytes="400000",
        uploaded_by_id="reader_id",
    )
    graded = "CASE WHEN is_gradable THEN {} END"
    insert(
        cursor,
        Grading,
        "eye",
        id="pg_temp.row_id('grading', n, photo_number)",
        created_at="created_at + interval '6 minutes'",
        image_id="image_id",
        model=f"'{settings.GRADING_MODELS[0].value}'",
        model_version="'student-0.4.0+00000000'",
        status="'done'",
        queued_at="created_at + interval '6 minutes'",
        finished_at="created_at + interval '7 minutes'",
        is_gradable="is_gradable",
        quality_level="CASE WHEN is_gradable THEN 'good' ELSE 'ungradable' END",
        p_gradable="0.9",
        grade=graded.format("grade"),
        probabilities=graded.format("'[0.2, 0.2, 0.2, 0.2, 0.2]'::jsonb"),
        p_referable=graded.format("0.1 + 0.2 * grade"),
        is_referable=graded.format("grade >= 2"),
        operating_point=graded.format("0.5"),
    )
    insert(
        cursor,
        Heatmap,
        "eye JOIN heat ON heat_number = mod(n, 97) WHERE is_gradable",
        grading_id="pg_temp.row_id('grading', n, photo_number)",
        of_grade="heatmap",
        box="'[0.1, 0.0, 0.9, 1.0]'::jsonb",
    )


def fill_results(cursor: CursorWrapper) -> None:
    """Of each signed exam the first readings, the review and its findings."""
    insert(
        cursor,
        Review,
        _SIGNED,
        id="review_id",
        created_at=_SIGNED_AT,
        exam_id="id",
        site_id="site_id",
        reviewer_id="reader_id",
        signed_at=_SIGNED_AT,
        outcome=_OUTCOME,
        urgency=_URGENCY,
        recall_on=f"({_SIGNED_AT} + interval '1 year')::date",
        built_in_version=str(CURRENT_VERSION),
    )
    eyes = "eye WHERE status = 'signed'"
    read = {"laterality": "laterality", "is_gradable": "true", "grade": "grade", "macular_oedema": "'none'"}
    finding = {"id": "pg_temp.row_id('finding', n, photo_number)", "created_at": _SIGNED_AT, "review_id": "review_id"}
    insert(cursor, EyeFinding, eyes, **finding, **read)
    first = {"id": "pg_temp.row_id('first', n, photo_number)", "created_at": _SIGNED_AT, "exam_id": "id"}
    first |= {"reviewer_id": "reader_id", "is_blind_complete": "eye_number = 1"}
    insert(cursor, FirstReading, eyes, **first, **read)


def fill_referrals(cursor: CursorWrapper) -> None:
    """Of each exam with a referable eye; those of the last months are open."""
    referred = f"{_SIGNED} AND {_WORST} >= 2"
    is_closed = "created_at < now() - interval '100 days'"
    made_on = f"({_SIGNED_AT})::date"
    state = f"CASE WHEN {is_closed} THEN 'result_back' ELSE (ARRAY['made', 'sent', 'booked'])[1 + mod(n, 3)] END"
    insert(
        cursor,
        Referral,
        referred,
        id="pg_temp.row_id('referral', n, number)",
        created_at=_SIGNED_AT,
        site_id="site_id",
        exam_id="id",
        review_id="review_id",
        outcome=_OUTCOME,
        urgency=_URGENCY,
        state=state,
        made_on=made_on,
        send_by=f"{made_on} + 7",
        see_by=f"{made_on} + 60",
        due_on=f"CASE WHEN NOT ({is_closed}) THEN {made_on} + 60 END",
    )
    insert(
        cursor,
        ReferralEvent,
        referred,
        id="pg_temp.row_id('referral event', n, number)",
        created_at=_SIGNED_AT,
        referral_id="pg_temp.row_id('referral', n, number)",
        state="'made'",
        happened_on=made_on,
        recorded_by_id="reader_id",
    )


def fill_events(cursor: CursorWrapper) -> None:
    """Audit events of each exam and its result; those of photographs and log-ins are left out."""
    common = {"actor_id": "reader_id", "site_id": "site_id", "purpose": "'TREAT'", "role": "'reviewer'"}
    of_exam = {"object_type": "'exam'", "object_id": "id::text"}
    for verb, at, source in (
        (AuditEvent.Verb.EXAM_OPENED, "created_at", "visit"),
        (AuditEvent.Verb.EXAM_SUBMITTED, "created_at + interval '25 minutes'", "visit WHERE status <> 'open'"),
        (AuditEvent.Verb.EXAM_VIEWED, f"{_SIGNED_AT} - interval '5 minutes'", _SIGNED),
    ):
        insert(cursor, AuditEvent, source, at=at, verb=f"'{verb.value}'", **of_exam, **common)
    signed = {"object_type": "'review'", "object_id": "review_id::text", "verb": f"'{AuditEvent.Verb.REVIEW_SIGNED}'"}
    insert(cursor, AuditEvent, _SIGNED, at=_SIGNED_AT, **signed, **common)
