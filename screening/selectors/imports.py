"""Imports of files, and their rows."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import DataImport, Site, User


def get_import(*, user: User, import_id: uuid.UUID) -> DataImport:
    """An import of the user's sites. Raises Http404."""
    rows = restrict(DataImport.objects.select_related("site", "owner", "applied_by"), user)
    return get_object_or_404(rows, pk=import_id)


def list_imports(*, user: User, site: Site) -> QuerySet[DataImport]:
    """Imports of a site, newest first."""
    rows = restrict(DataImport.objects.filter(site=site), user)
    return rows.select_related("owner").order_by("-created_at", "pk")


def rows_in_state(rows: QuerySet[Any], state: str | None) -> QuerySet[Any]:
    """Rows of an import by line; those in ``state``, if it is given."""
    return (rows.filter(state=state) if state else rows).order_by("line")
