"""Gradings that wait know their site, for their order: the site that was served longest ago is next, and bulk is last."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Q, Subquery


def store_sites(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Store the site of what waits now. PostgreSQL changes no table with constraints that are still to be checked."""
    site = apps.get_model("screening", "FundusImage").objects.filter(pk=OuterRef("image")).values("exam__site")
    apps.get_model("screening", "Grading").objects.filter(status="queued").update(queue_site=Subquery(site))
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0074_drift_results"),
    ]

    operations = [
        migrations.CreateModel(
            name="SiteClaim",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="grading_claim",
                        serialize=False,
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
                ("claimed_at", models.DateTimeField(verbose_name="last claimed at")),
            ],
            options={
                "verbose_name": "last claim of a site",
                "verbose_name_plural": "last claims of sites",
            },
        ),
        migrations.AddField(
            model_name="grading",
            name="is_bulk",
            field=models.BooleanField(default=False, verbose_name="no user waits for it"),
        ),
        migrations.AddField(
            model_name="grading",
            name="queue_site",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="screening.site",
                verbose_name="site in the queue",
            ),
        ),
        migrations.RunPython(store_sites, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="grading",
            constraint=models.CheckConstraint(
                condition=~Q(status="queued") | Q(queue_site__isnull=False), name="grading_queued_has_site"
            ),
        ),
        migrations.AddIndex(
            model_name="grading",
            index=models.Index(
                fields=["queue_site", "is_bulk", "queued_at"], condition=Q(status="queued"), name="grading_by_order"
            ),
        ),
    ]
