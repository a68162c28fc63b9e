"""Bundle: a page of the results of a search."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.request import Request

from screening.api.pagination import MAX_PAGE_SIZE, PAGE_SIZE, NewestFirstPagination
from screening.fhir.codes import Json

COUNT, CURSOR = "_count", "_cursor"


class SearchPagination(NewestFirstPagination):
    """Pages of a search, newest first; ``_cursor`` is the start of a page, and only in the links of a bundle.

    A search by POST has its parameters in the body; the next pages of it are requested by GET.
    """

    page_size_query_param = COUNT
    cursor_query_param = CURSOR

    def __init__(self, parameters: QueryDict, address: str, *, n_of_row: int = 1) -> None:
        """``address`` of the search, without parameters. ``n_of_row``: resources that a row has at most."""
        self.parameters, self.address = parameters, address
        self.min_page_size = n_of_row

    def get_page_size(self, request: Request) -> int:
        """Rows that have no more resources than were asked for. Raises ValidationError."""
        n_usual = min(PAGE_SIZE * self.min_page_size, MAX_PAGE_SIZE)
        n_resources = super().get_page_size(request) if COUNT in self.parameters else n_usual
        return n_resources // self.min_page_size

    def parameters_of(self, request: Request) -> QueryDict:
        """Those of the address and of the body."""
        return self.parameters

    def page_of(self, rows: QuerySet[Any], request: Request) -> tuple[list[Any], list[Json]]:
        """The rows of the page, and the links of its bundle. Raises ValidationError."""
        found: list[Any] = self.paginate_queryset(rows, request)
        self.base_url = self._url(self.parameters)
        return found, self._links(self.get_next_link(), self.get_previous_link())

    def _links(self, following: str | None, previous: str | None) -> list[Json]:
        """The link of the page itself, which shows what the server has understood, and those of its neighbours."""
        urls = {"self": self._url(self.parameters), "next": following, "previous": previous}
        return [{"relation": name, "url": url} for name, url in urls.items() if url is not None]

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
