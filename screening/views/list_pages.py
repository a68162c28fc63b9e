"""Pages of long lists: the first ones have numbers, later ones begin after a row, so that none is slow."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from screening.selectors.list_rows import MAX_COUNTED, count_up_to_limit, load_rows, rows_after
from screening.views.parameters import InvalidParameter, page_number

if TYPE_CHECKING:
    _Page = Page[Any]
    _Paginator = Paginator[Any]
else:
    _Page, _Paginator = Page, Paginator

PAGE_PARAMETERS = ("page", "after")
"""The parameters of the address: the number of a page, or the id of the row before it, never both."""


def counted_text(n: int) -> str:
    """A number of ``count_up_to_limit``; of more rows only that they are more."""
    return _("more than 1,000") if n > MAX_COUNTED else str(n)


class ListPage(_Page):
    """A page whose rows are loaded. ``after``: the id after which the next page begins, if it has no number."""

    paginator: "ListPaginator"
    is_later = False
    """Whether it comes after the pages that have numbers."""

    @property
    def after(self) -> UUID | None:
        """None on the last page, and if the next page has a number."""
        is_last_number = not self.has_next() and self.paginator.has_more
        return self.object_list[-1].pk if is_last_number and self.object_list else None


class LaterPage(ListPage):
    """A page that begins after a row."""

    is_later = True
    has_more = False

    @property
    def after(self) -> UUID | None:
        """None on the last page."""
        return self.object_list[-1].pk if self.has_more and self.object_list else None


class ListPaginator(_Paginator):
    """Pages with numbers of the first ``MAX_COUNTED`` rows."""

    object_list: QuerySet[Any]
    n_known: int | None = None
    """Number of rows, if the page has counted them."""

    @cached_property
    def n_found(self) -> int:
        """Number of rows, at most one more than the limit."""
        return count_up_to_limit(self.object_list) if self.n_known is None else self.n_known

    @property
    def has_more(self) -> bool:
        """Whether the list is longer than the limit."""
        return self.n_found > MAX_COUNTED

    @cached_property
    def count(self) -> int:
        """Number of rows on the pages with numbers."""
        return min(self.n_found, MAX_COUNTED)

    def page(self, number: int | str) -> ListPage:
        """A page with its rows."""
        checked = int(self.validate_number(number))
        start = (checked - 1) * self.per_page
        return ListPage(load_rows(self.object_list, start, min(start + self.per_page, self.count)), checked, self)


def page_of_list(request: HttpRequest, rows: QuerySet[Any], *, per_page: int, n_known: int | None = None) -> ListPage:
    """The page of the address. ``n_known``: number of rows, if it is known. Raises InvalidParameter."""
    paginator = ListPaginator(rows, per_page)
    paginator.n_known = n_known
    if "after" not in request.GET:
        return paginator.page(min(page_number(request), paginator.num_pages))  # a list becomes shorter while it is read
    try:
        row_id = UUID(request.GET["after"])
    except ValueError as error:
        raise InvalidParameter(_("“after” is the id of a row. Open the first page again.")) from error
    found = load_rows(rows_after(rows, row_id), 0, per_page + 1)
    page = LaterPage(found[:per_page], 0, paginator)  # without a number, and without counting
    page.has_more = len(found) > per_page
    return page
