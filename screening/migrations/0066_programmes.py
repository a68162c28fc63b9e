"""Programmes of sites; invitations and changes in the staff are those of a site or a programme."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_staffchange",), "screening_refuse_staff_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0065_reasons_of_thresholds"),
    ]

    operations = [
        migrations.RunPython(TRIGGERS.drop, TRIGGERS.create),  # SQLite makes the table again, without its triggers
        migrations.CreateModel(
            name="Programme",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="name")),
            ],
            options={
                "verbose_name": "programme",
                "verbose_name_plural": "programmes",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="ProgrammeMembership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            ],
            options={
                "verbose_name": "programme manager",
                "verbose_name_plural": "programme managers",
                "ordering": ["programme__name", "user__username"],
            },
        ),
        migrations.AlterField(
            model_name="invitation",
            name="site",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="screening.site"
            ),
        ),
        migrations.AlterField(
            model_name="staffchange",
            name="site",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="staff_changes",
                to="screening.site",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="programme",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="screening.programme",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="programme",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sites",
                to="screening.programme",
                verbose_name="programme",
            ),
        ),
        migrations.AddField(
            model_name="staffchange",
            name="programme",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="staff_changes",
                to="screening.programme",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("programme__isnull", True), ("site__isnull", False)),
                    models.Q(("programme__isnull", False), ("site__isnull", True)),
                    _connector="OR",
                ),
                name="invitation_to_site_or_programme",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffchange",
            constraint=models.UniqueConstraint(
                fields=("programme", "user", "number"), name="programme_staff_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="staffchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("programme__isnull", True), ("site__isnull", False)),
                    models.Q(("programme__isnull", False), ("site__isnull", True)),
                    _connector="OR",
                ),
                name="staff_change_at_site_or_programme",
            ),
        ),
        migrations.AddField(
            model_name="programmemembership",
            name="programme",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="screening.programme"
            ),
        ),
        migrations.AddField(
            model_name="programmemembership",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="programme_memberships",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="programmemembership",
            constraint=models.UniqueConstraint(fields=("user", "programme"), name="programme_membership_once"),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
