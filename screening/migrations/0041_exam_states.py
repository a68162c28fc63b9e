"""Explicit states of an exam; before, "returned" was an open exam with a time, and a begun reading was not stored."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Exists, OuterRef

_WAITING = ["arbitration", "entered_in_error", "first_reading", "second_reading", "submitted"]
_PHOTOGRAPHED = ["open", "returned"]
_STATES = [
    "open",
    "submitted",
    "first_reading",
    "second_reading",
    "arbitration",
    "signed",
    "returned",
    "cancelled",
    "entered_in_error",
]
_LABELS = [
    "Open",
    "Waiting for review",
    "Being read",
    "Waiting for a second reading",
    "Waiting for arbitration",
    "Signed",
    "Returned",
    "Cancelled",
    "Result entered in error, waiting for review",
]
_INDEXES = {
    "exam_by_band": (["worklist_band", "due_at", "created_at", "id"], _WAITING),
    "exam_by_due": (["due_at", "created_at", "id"], _WAITING),
    "exam_by_submission": (["submitted_at", "id"], _WAITING),
    "exam_open": (["-created_at", "id"], _PHOTOGRAPHED),
}


def _name_states(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    exams = apps.get_model("screening", "Exam").objects
    current = {"exam": OuterRef("pk"), "reading_round": OuterRef("reading_round")}
    is_begun = Exists(apps.get_model("screening", "FirstReading").objects.filter(**current))
    retracted = apps.get_model("screening", "Correction").objects.filter(
        exam=OuterRef("pk"), kind="review_in_error", review__reading_round=OuterRef("reading_round") - 1
    )
    exams.filter(status="reviewed").update(status="signed")
    exams.filter(status="open", returned_at__isnull=False).update(status="returned")
    exams.filter(is_begun, status="submitted").update(status="first_reading")
    exams.filter(Exists(retracted), status="submitted", reading_round__gt=0).update(status="entered_in_error")


def _merge_states(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    exams = apps.get_model("screening", "Exam").objects
    exams.filter(status="signed").update(status="reviewed")
    exams.filter(status="returned").update(status="open")
    exams.filter(status__in=_WAITING).update(status="submitted")


def _check(name: str, condition: models.Q) -> migrations.AddConstraint:
    return migrations.AddConstraint("exam", models.CheckConstraint(condition=condition, name=name))


class Migration(migrations.Migration):
    dependencies = [("screening", "0040_recall_runs")]

    operations = [
        *(migrations.RemoveIndex("exam", name) for name in _INDEXES),
        *(
            migrations.RemoveConstraint("exam", name)
            for name in ("exam_status_known", "exam_submitted_has_time", "exam_submitted_has_due_time")
        ),
        migrations.AlterField(
            "exam",
            "status",
            models.CharField(
                choices=list(zip(_STATES, _LABELS, strict=True)), default="open", max_length=16, verbose_name="status"
            ),
        ),
        migrations.RunPython(_name_states, _merge_states, elidable=False),
        _check("exam_status_known", models.Q(status__in=_STATES)),
        _check(
            "exam_submitted_has_time",
            models.Q(status__in=["cancelled", *_PHOTOGRAPHED]) | models.Q(submitted_at__isnull=False),
        ),
        _check(
            "exam_submitted_has_due_time",
            models.Q(status__in=["cancelled", *_PHOTOGRAPHED]) | models.Q(due_at__isnull=False),
        ),
        _check("exam_returned_has_time", ~models.Q(status="returned") | models.Q(returned_at__isnull=False)),
        *(
            migrations.AddIndex("exam", models.Index(fields=fields, name=name, condition=models.Q(status__in=states)))
            for name, (fields, states) in _INDEXES.items()
        ),
    ]
