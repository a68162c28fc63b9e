"""Imports of files, and their rows until they are written or deleted."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.folding import MAX_FOLDED_CHARS
from screening.labels.choices import values
from screening.labels.imports import (
    ACTION_CHOICES,
    DATE_ORDER_CHOICES,
    KIND_CHOICES,
    ROW_CHOICES,
    STATE_CHOICES,
    cell_texts,
)
from screening.models.base import BaseModel
from screening.models.patients import Patient
from screening.models.sites import Site
from screening.policy.imports import ACTIVE_STATES, DateOrder, ImportKind, ImportState, RowAction, RowState
from screening.postal_addresses import MAX_ADDRESS_CHARS


class DataImport(BaseModel):
    """A file of people or bookings that is checked and, if a person decides so, written as a whole.

    ``file`` is the uploaded file, until it is read; ``rows_file`` then has its rows. Both are private, and deleted at
    the end. ``n_checked`` rows are staged; ``offset_bytes`` is where the next one begins in ``rows_file``.
    ``basis_event`` is the newest audit event when the check began: later ones show whether the register has changed.
    ``worked_at`` is when a worker last had the import, ``n_tries`` how often one began since it last made progress.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="imports")
    kind = models.CharField(_("rows are"), max_length=8, choices=KIND_CHOICES)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("begun by"))
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("written by")
    )
    state = models.CharField(_("state"), max_length=10, choices=STATE_CHOICES, default=ImportState.READING.value)
    file = models.CharField(max_length=200, blank=True, default="")
    rows_file = models.CharField(max_length=200, blank=True, default="")
    n_bytes = models.PositiveIntegerField(_("size (bytes)"))
    columns = models.JSONField(_("columns"), default=list)
    notes = models.JSONField(_("how the file was read"), default=dict)
    date_order = models.CharField(
        _("order in dates"), max_length=12, choices=DATE_ORDER_CHOICES, blank=True, default=DateOrder.UNKNOWN.value
    )
    problem = models.CharField(_("why refused"), max_length=24, blank=True, default="")
    problem_values = models.JSONField(default=dict)
    n_rows = models.PositiveIntegerField(_("rows"), default=0)
    n_checked = models.PositiveIntegerField(_("checked rows"), default=0)
    n_new = models.PositiveIntegerField(_("new"), default=0)
    n_changed = models.PositiveIntegerField(_("changed"), default=0)
    n_unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    n_question = models.PositiveIntegerField(_("with a question"), default=0)
    n_refused = models.PositiveIntegerField(_("refused"), default=0)
    n_left_out = models.PositiveIntegerField(_("left out"), default=0)
    offset_bytes = models.PositiveBigIntegerField(default=0)
    basis_event = models.BigIntegerField(default=0)
    is_checked_again = models.BooleanField(default=False)
    n_tries = models.PositiveSmallIntegerField(_("tries without progress"), default=0)
    worked_at = models.DateTimeField(_("last worked on at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("data are deleted at"), db_index=True)
    finished_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("import of a file")
        verbose_name_plural = _("imports of files")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="imports_of_site")]
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=Q(state__in=values(ACTIVE_STATES)), name="import_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=values(ImportState)), name="import_state_known"),
            models.CheckConstraint(condition=Q(kind__in=values(ImportKind)), name="import_kind_known"),
        ]

    def __str__(self) -> str:
        return f"Import {self.id}"

    @property
    def is_active(self) -> bool:
        """Whether it is not at its end."""
        return self.state in ACTIVE_STATES


class StagedRow(models.Model):
    """A checked row of a file: what will be written. ``problems`` are those of ``labels.imports.cell_problem``.

    ``target`` is the id of the row that is written, as ``subject`` in the form of audit events.
    """

    id = models.BigAutoField(primary_key=True)
    line = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=ROW_CHOICES)
    action = models.CharField(max_length=8, choices=ACTION_CHOICES, default=RowAction.NONE.value)
    answer = models.CharField(max_length=10, blank=True, default="")
    target = models.UUIDField(default=uuid.uuid4)
    subject = models.CharField(max_length=36, blank=True, default="")
    mrn = models.CharField(max_length=100, blank=True, default="")
    problems = models.JSONField(default=list)
    changes = models.JSONField(default=list)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """NB: without the number."""
        return f"Row {self.line}"

    @property
    def problem_texts(self) -> list[tuple[str, str, str]]:
        """Column, what is wrong and what to do, in the language of the reader."""
        return [cell_texts(problem) for problem in self.problems]


class StagedPerson(StagedRow):
    """A row of a file of people, with the columns that a ``Patient`` gets."""

    data_import = models.ForeignKey(DataImport, models.CASCADE, related_name="people", db_index=False)
    given_name = models.CharField(max_length=80, blank=True, default="")
    family_name = models.CharField(max_length=80, blank=True, default="")
    born_on = models.CharField(max_length=10, blank=True, default="")
    sex = models.CharField(max_length=1, default=Patient.Sex.UNKNOWN)
    diabetes_type = models.CharField(max_length=10, default=Patient.DiabetesType.UNKNOWN)
    diabetes_since_year = models.PositiveSmallIntegerField(null=True)
    phone = models.CharField(max_length=40, blank=True, default="")
    postal_address = models.TextField(max_length=MAX_ADDRESS_CHARS, blank=True, default="")
    doctor_address = models.TextField(max_length=MAX_ADDRESS_CHARS, blank=True, default="")
    folded_mrn = models.CharField(max_length=MAX_FOLDED_CHARS, blank=True, default="")
    folded_name = models.CharField(max_length=MAX_FOLDED_CHARS, blank=True, default="")
    name_key = models.CharField(max_length=MAX_FOLDED_CHARS, blank=True, default="")

    class Meta:
        verbose_name = _("staged person")
        verbose_name_plural = _("staged people")
        indexes = [
            models.Index(fields=["data_import", "state", "line"], name="staged_person_by_state"),
            models.Index(fields=["data_import", "folded_mrn"], name="staged_person_by_mrn"),
            models.Index(fields=["data_import", "name_key"], name="staged_person_by_name"),
        ]
        constraints = [models.UniqueConstraint(fields=["data_import", "line"], name="staged_person_once")]

    @property
    def content(self) -> str:
        """Who the row is about."""
        return ", ".join(filter(None, (self.family_name, self.given_name, self.born_on)))


class StagedTerm(models.Model):
    """A search term of a staged person. DO_NOTHING: it is deleted first, without loading the people."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(StagedPerson, models.DO_NOTHING, related_name="terms")
    term = models.CharField(max_length=MAX_FOLDED_CHARS)

    def __str__(self) -> str:
        """NB: without the term, which is a name."""
        return f"Staged term {self.pk}"


COUNT_FIELDS = {
    RowState.NEW: "n_new",
    RowState.CHANGED: "n_changed",
    RowState.UNCHANGED: "n_unchanged",
    RowState.QUESTION: "n_question",
    RowState.REFUSED: "n_refused",
}
"""Columns of ``DataImport`` that count its rows, by their state."""


class StagedBooking(StagedRow):
    """A row of a file of bookings, with the columns that a ``Booking`` gets. ``person`` is the id of the patient."""

    data_import = models.ForeignKey(DataImport, models.CASCADE, related_name="bookings", db_index=False)
    person = models.UUIDField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    location = models.CharField(max_length=80, blank=True, default="")
    status = models.CharField(max_length=16, blank=True, default="")
    is_missed = models.BooleanField(default=False)
    """A missed appointment that was not known before."""

    class Meta:
        verbose_name = _("staged booking")
        verbose_name_plural = _("staged bookings")
        indexes = [
            models.Index(fields=["data_import", "state", "line"], name="staged_booking_by_state"),
            models.Index(fields=["data_import", "mrn", "day"], name="staged_booking_by_day"),
        ]
        constraints = [models.UniqueConstraint(fields=["data_import", "line"], name="staged_booking_once")]

    @property
    def content(self) -> str:
        """When the appointment is."""
        return " ".join(str(one) for one in (self.day, self.time, self.location) if one)
