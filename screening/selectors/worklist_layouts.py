"""The arrangement of the worklist of a user."""

from screening.models import User, WorklistLayout


def get_worklist_layout(*, user: User) -> WorklistLayout:
    """The layout that the user last chose, else the default, which is not stored."""
    return WorklistLayout.objects.filter(user=user).first() or WorklistLayout(user=user)
