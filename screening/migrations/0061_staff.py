"""Invitations to a site, and the changes in its staff, append-only by triggers."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_staffchange",), "screening_refuse_staff_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0060_months_until_lost"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("roles", models.JSONField(default=list, verbose_name="roles")),
                ("code_hash", models.CharField(max_length=64, unique=True, verbose_name="SHA-256 of the code")),
                ("is_mailed", models.BooleanField(default=False, verbose_name="was sent by e-mail")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("cancelled_at", models.DateTimeField(blank=True, null=True, verbose_name="cancelled at")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="screening.site"
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="StaffChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invited", "Invited"),
                            ("cancelled", "Invitation cancelled"),
                            ("joined", "Accepted an invitation"),
                            ("roles", "Roles changed"),
                            ("deactivated", "Deactivated"),
                            ("reactivated", "Reactivated"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.PositiveIntegerField(null=True, verbose_name="version")),
                ("roles", models.JSONField(default=list, verbose_name="roles")),
                ("is_active", models.BooleanField(default=True, verbose_name="is active")),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="screening.invitation",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="staff_changes", to="screening.site"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "change in the staff of a site",
                "verbose_name_plural": "changes in the staff of sites",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["site", "-created_at"], name="invitation_by_site"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("used_at__isnull", True), ("cancelled_at__isnull", True), _connector="OR"),
                name="invitation_ends_once",
            ),
        ),
        migrations.AddIndex(
            model_name="staffchange",
            index=models.Index(fields=["site", "-created_at"], name="staff_change_by_site"),
        ),
        migrations.AddConstraint(
            model_name="staffchange",
            constraint=models.UniqueConstraint(fields=("site", "user", "number"), name="staff_version_once"),
        ),
        migrations.AddConstraint(
            model_name="staffchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["invited", "cancelled", "joined", "roles", "deactivated", "reactivated"])
                ),
                name="staff_change_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number__gte", 1), ("user__isnull", False)),
                    models.Q(("invitation__isnull", False), ("number__isnull", True), ("user__isnull", True)),
                    _connector="OR",
                ),
                name="staff_change_names_someone",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
