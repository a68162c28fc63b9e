"""Migrations that add roles can be undone while users have them."""

from collections.abc import Callable
from typing import Any

NEWEST = "0050_teaching_sets"
OLD = {"manager", "photographer", "reviewer"}
ROLES = sorted(OLD | {"senior_reviewer", "outside_reader", "trainee"})


def test_backwards_users_keep_the_roles_that_a_version_has(migrate: Callable[[str], Any]) -> None:
    new = migrate(NEWEST)
    site = new.get_model("screening", "Site").objects.create(name="Harbour", code="harbour")
    users, memberships = (new.get_model("screening", name).objects for name in ("User", "Membership"))
    every = users.create(username="every-role")
    alone = {role: users.create(username=role) for role in ROLES}
    for role in ROLES:
        memberships.create(site=site, user=every, role=role)
        memberships.create(site=site, user=alone[role], role=role)
    event = new.get_model("screening", "AuditEvent").objects.create(verb="site.created", role=",".join(ROLES))

    for before, kept in (
        ("0049_readings", {*OLD, "senior_reviewer", "outside_reader"}),
        ("0044_messages", {*OLD, "senior_reviewer"}),
        ("0041_exam_states", OLD),
    ):
        old = migrate(before)
        found = old.get_model("screening", "Membership").objects
        assert set(found.filter(user=every.pk).values_list("role", flat=True)) == kept
        roles = dict(found.exclude(user=every.pk).values_list("user__username", "role"))
        assert roles == {**{role: role for role in kept}, "senior_reviewer": roles["senior_reviewer"]}
        assert roles["senior_reviewer"] == ("senior_reviewer" if "senior_reviewer" in kept else "reviewer")
        assert old.get_model("screening", "AuditEvent").objects.get(pk=event.pk).role == event.role
    migrate(NEWEST)
