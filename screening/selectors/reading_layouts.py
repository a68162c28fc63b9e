"""The arrangement of the reading page of a user."""

from screening.models import ReadingLayout, User


def get_reading_layout(*, user: User) -> ReadingLayout:
    """The layout that the user last chose, else the default, which is not stored."""
    return ReadingLayout.objects.filter(user=user).first() or ReadingLayout(user=user)
