"""Rows of people: each is compared with the register of the site, with the rules of the registration page."""

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ValidationError
from import_export.resources import Resource

from screening.folding import clean_number, index_terms
from screening.labels.imports import cell_problem, refused_cell
from screening.models import DataImport, Patient, StagedPerson, StagedTerm, User
from screening.policy.imports import RowAction, RowState
from screening.services.imports.cells import BirthDateCell, CodeCell, FileReading, TextCell, YearCell, cell_column
from screening.services.imports.people_writing import DETAILS, FOLDED, is_outdated, lock_people, write_people
from screening.services.imports.questions import PersonQuestions
from screening.services.patient_details import InvalidPatient, clean_patient
from screening.spreadsheets.cells import Cell

NEEDED = (("mrn",), ("family_name", "given_name"))
"""Of each group one column must be in the file."""
DATE_COLUMNS = ("born_on",)
_MAX_MRN_CHARS = 100


class PersonColumns(Resource):  # type: ignore[misc]  # the package has no types
    """The columns of a file of people."""

    mrn = cell_column("mrn", TextCell())
    family_name = cell_column("family_name", TextCell())
    given_name = cell_column("given_name", TextCell())
    born_on = cell_column("born_on", BirthDateCell())
    sex = cell_column("sex", CodeCell(*Patient.Sex.values))
    diabetes_type = cell_column("diabetes_type", CodeCell(*Patient.DiabetesType.values))
    diabetes_since_year = cell_column("diabetes_since_year", YearCell())
    phone = cell_column("phone", TextCell())
    postal_address = cell_column("postal_address", TextCell())
    doctor_address = cell_column("doctor_address", TextCell())


@dataclass(slots=True)
class PersonDraft:
    """A row while it is checked."""

    line: int
    values: dict[str, Any]
    problems: list[list[Any]]
    mrn: str = ""
    patient: Patient | None = None
    is_known: bool = False
    changes: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    @property
    def state(self) -> RowState:
        """What will happen with the row."""
        if self.problems:
            return RowState.REFUSED
        if self.questions:
            return RowState.QUESTION
        if not self.is_known:
            return RowState.NEW
        return RowState.CHANGED if self.changes else RowState.UNCHANGED

    @property
    def action(self) -> RowAction:
        """What is written, if it is not left out."""
        if self.problems:
            return RowAction.NONE
        if not self.is_known:
            return RowAction.ADD
        return RowAction.CHANGE if self.changes else RowAction.NONE


def values_of(
    columns: Any, names: Sequence[str], cells: Sequence[Cell], reading: FileReading
) -> tuple[dict[str, Any], list[list[Any]]]:
    """The values of the cells that are not empty, and what is wrong with others."""
    if len(cells) > len(names):
        return {}, [cell_problem("", "cells")]
    found = SimpleNamespace()
    row = {**dict.fromkeys(names), **dict(zip(names, cells, strict=False))}
    try:
        columns.import_instance(found, row, reading=reading)
    except ValidationError as error:
        return vars(found), [cell_problem(name, codes[0]) for name, codes in error.message_dict.items()]
    return vars(found), []


class PersonRows:
    """The check of rows of people, and how they are written."""

    kind_columns: Any = PersonColumns
    needed: tuple[tuple[str, ...], ...] = NEEDED
    date_columns: tuple[str, ...] = DATE_COLUMNS
    staged: Any = StagedPerson
    identities: tuple[str, ...] = (
        "mrn", "given_name", "family_name", "born_on", "phone", "postal_address", "doctor_address", *FOLDED,
    )  # fmt: skip

    def stage(
        self, data_import: DataImport, rows: Iterable[tuple[int, list[Cell]]], reading: FileReading
    ) -> list[PersonDraft]:
        """Check rows against the register and the rows before. Nothing is stored."""
        columns = PersonColumns()
        drafts = [PersonDraft(line, *values_of(columns, data_import.columns, cells, reading)) for line, cells in rows]
        for draft in drafts:
            draft.mrn = clean_number(draft.values.get("mrn", ""))
        self._find_repeated(data_import, drafts)
        self._compare(data_import, drafts)
        PersonQuestions(data_import, drafts).add()
        return drafts

    def store(self, data_import: DataImport, drafts: list[PersonDraft]) -> Counter[RowState]:
        """Store checked rows, and return how many there are in each state."""
        rows = StagedPerson.objects.bulk_create([_staged(data_import, draft) for draft in drafts])
        terms = [
            StagedTerm(person=row, term=term)
            for row in rows
            if row.action != RowAction.NONE
            for term in index_terms(row.family_name, row.given_name)
        ]
        StagedTerm.objects.bulk_create(terms, batch_size=2000)
        return Counter(draft.state for draft in drafts)

    def lock(self, data_import: DataImport) -> None:
        """Lock what the rows change until the end of the transaction."""
        lock_people(data_import)

    def is_outdated(self, data_import: DataImport) -> bool:
        """Whether a change of the register since the check began concerns a row."""
        return is_outdated(data_import)

    def write(self, data_import: DataImport, rows: Any, by: User) -> None:
        """Write the rows in the caller's transaction."""
        write_people(data_import, rows, by)

    def _find_repeated(self, data_import: DataImport, drafts: list[PersonDraft]) -> None:
        """Refuse a number that an earlier line has."""
        numbers = [draft.mrn for draft in drafts if draft.mrn]
        staged = StagedPerson.objects.filter(data_import=data_import, mrn__in=numbers).order_by("-line")
        lines = dict(staged.values_list("mrn", "line"))
        for draft in drafts:
            if draft.mrn and draft.mrn in lines:
                draft.problems.append(cell_problem("mrn", "repeated_number", lines[draft.mrn]))
            else:
                lines[draft.mrn] = draft.line

    def _compare(self, data_import: DataImport, drafts: list[PersonDraft]) -> None:
        """Find what changes, and refuse details that the registration would refuse."""
        site = data_import.site
        known = {one.mrn: one for one in Patient.objects.filter(site=site, mrn__in=[draft.mrn for draft in drafts])}
        for draft in drafts:
            if draft.problems:
                continue
            stored = known.get(draft.mrn)
            draft.is_known = stored is not None
            if stored is not None and stored.merged_into_id is not None:
                draft.problems.append(cell_problem("mrn", "merged"))
                continue
            draft.patient = Patient(site=site) if stored is None else copy.copy(stored)
            draft.patient.site = site
            _set_details(draft.patient, draft.values)
            try:
                clean_patient(draft.patient)
            except InvalidPatient as error:
                draft.problems.append(refused_cell(error.field, error.code, error.values))
                continue
            if stored is not None:
                draft.changes = [name for name in DETAILS if getattr(stored, name) != getattr(draft.patient, name)]


def _set_details(patient: Patient, values: dict[str, Any]) -> None:
    """Set the values of a row. A birth date replaces an estimated age."""
    for name, value in values.items():
        setattr(patient, name, value)
    patient.mrn = clean_number(patient.mrn)
    if values.get("born_on"):
        patient.estimated_age = patient.age_estimated_on = None


def _staged(data_import: DataImport, draft: PersonDraft) -> StagedPerson:
    row = StagedPerson(
        data_import=data_import,
        line=draft.line,
        state=draft.state.value,
        action=draft.action.value,
        mrn=draft.mrn[:_MAX_MRN_CHARS],
        problems=[*draft.problems, *(cell_problem("mrn", code) for code in draft.questions)],
        changes=draft.changes,
    )
    patient = draft.patient
    if patient is not None and not draft.problems:
        for name in DETAILS:
            setattr(row, name, getattr(patient, name))
        for name in FOLDED:
            folded: Any = patient._meta.get_field(name)
            folded.pre_save(patient, add=False)
            setattr(row, name, getattr(patient, name))
        row.target = patient.pk
    row.subject = str(row.target)
    return row
