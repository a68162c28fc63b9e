"""The arrangement of the worklist, remembered for each user. It is no patient data, so changes are not audited."""

from screening.models import User, WorklistLayout


def save_worklist_layout(*, is_dense: bool, by: User) -> WorklistLayout:
    """Remember how ``by`` arranged the worklist."""
    layout, _created = WorklistLayout.objects.update_or_create(user=by, defaults={"is_dense": is_dense})
    return layout
