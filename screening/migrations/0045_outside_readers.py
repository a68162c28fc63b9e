"""The role of outside readers, and whether a site hides people from them. An audit event has room for all roles.

SQLite copies the table of audit events, which loses its triggers: they are dropped and created again. Backwards, outside
readers lose their role: with any other one they would see who the people are. Audit events are not cut, so their column
stays wide.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.db import migrations, models

triggers = import_module("screening.migrations.0002_append_only_audit")


def without_role(role: str) -> Callable[[Any, Any], None]:
    """A step backwards that deletes the memberships with ``role``, which earlier versions do not have."""

    def delete(apps: Any, _schema_editor: Any) -> None:
        apps.get_model("screening", "Membership").objects.filter(role=role).delete()

    return delete


class WidenField(migrations.AlterField):
    """More room in a column. Backwards nothing happens: its texts could be too long by then."""

    def database_backwards(self, *_arguments: Any) -> None:
        """Leave the column as it is."""


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0044_messages"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
        WidenField(
            model_name="auditevent",
            name="role",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="role"),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
        migrations.RemoveConstraint(
            model_name="membership",
            name="membership_role_known",
        ),
        migrations.RunPython(migrations.RunPython.noop, without_role("outside_reader")),
        migrations.AddField(
            model_name="site",
            name="hides_identity",
            field=models.BooleanField(
                default=True,
                help_text="They see age band and sex of a person. Without it they see what a reviewer sees.",
                verbose_name="outside readers see no names",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("photographer", "Photographer"),
                    ("reviewer", "Reviewer"),
                    ("senior_reviewer", "Senior reviewer"),
                    ("manager", "Manager"),
                    ("outside_reader", "Outside reader"),
                ],
                max_length=20,
                verbose_name="role",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role__in", ["photographer", "reviewer", "senior_reviewer", "manager", "outside_reader"])
                ),
                name="membership_role_known",
            ),
        ),
    ]
