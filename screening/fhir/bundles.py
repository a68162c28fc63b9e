"""Bundle: a page of the results of a search."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from screening.api.pagination import INVALID_CURSOR, NewestFirstPagination
from screening.fhir.codes import Json

COUNT, CURSOR = "_count", "_cursor"


class SearchPagination(NewestFirstPagination):
    """Pages of a search, newest first; ``_cursor`` is the start of a page, and only in the links of a bundle.

    A search by POST has its parameters in the body; the next pages of it are requested by GET.
    """

    page_size_query_param = COUNT
    cursor_query_param = CURSOR

    def __init__(self, parameters: QueryDict, address: str) -> None:
        """``address`` of the search, without parameters."""
        self.parameters, self.address = parameters, address

    def parameters_of(self, request: Request) -> QueryDict:
        """Those of the address and of the body."""
        return self.parameters

    def page_of(self, rows: QuerySet[Any], request: Request) -> tuple[list[Any], list[Json]]:
        """The rows of the page, and the links of its bundle. Raises ValidationError."""
        found: list[Any] = self.paginate_queryset(rows, request)
        self.base_url = self._url(self.parameters)
        return found, self._links(self.get_next_link(), self.get_previous_link())

    def slice_of(self, resources: Sequence[Json], request: Request) -> tuple[Sequence[Json], list[Json]]:
        """As ``page_of``, of resources that are not rows: ``_cursor`` is how many come before."""
        text = self.parameters.get(CURSOR, "0")
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            raise ValidationError({CURSOR: INVALID_CURSOR})
        start, size = int(text), self.get_page_size(request)
        end = start + size
        following = self._url_from(end) if end < len(resources) else None
        return resources[start:end], self._links(following, self._url_from(max(0, start - size)) if start else None)

    def _links(self, following: str | None, previous: str | None) -> list[Json]:
        """The link of the page itself, which shows what the server has understood, and those of its neighbours."""
        urls = {"self": self._url(self.parameters), "next": following, "previous": previous}
        return [{"relation": name, "url": url} for name, url in urls.items() if url is not None]

    def _url_from(self, start: int) -> str:
        parameters = self.parameters.copy()
        parameters[CURSOR] = str(start)
        return self._url(parameters)

    def _url(self, parameters: QueryDict) -> str:
        return f"{self.address}?{parameters.urlencode()}" if parameters else self.address


def searchset(base: str, matches: Iterable[Json], *, links: Sequence[Json], included: Iterable[Json] = ()) -> Json:
    """The bundle; ``base`` is the address of the interface, with a slash. A resource is in it once."""
    entries: dict[str, Json] = {}
    for mode, resources in (("match", matches), ("include", included)):
        for resource in resources:
            address = f"{base}{resource['resourceType']}/{resource['id']}"
            entries.setdefault(address, {"fullUrl": address, "resource": resource, "search": {"mode": mode}})
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "link": list(links)}
    return bundle | ({"entry": list(entries.values())} if entries else {})
