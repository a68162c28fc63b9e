"""Reviews have the site of their exam, so that an index of site and time finds the results of a site."""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy the site of each exam; one statement."""
    exams = apps.get_model("screening", "Exam").objects.filter(pk=OuterRef("exam"))
    apps.get_model("screening", "Review").objects.update(site=Subquery(exams.values("site")))
    if schema_editor.connection.vendor == "postgresql":  # it changes no table with constraints still to be checked
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def site(*, is_null: bool) -> "models.ForeignKey[Any, Any]":
    """The column, while it is filled and afterwards."""
    return models.ForeignKey(
        db_index=False,
        editable=False,
        null=is_null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="screening.site",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0079_heatmaps"),
    ]

    operations = [
        migrations.AddField(model_name="review", name="site", field=site(is_null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(model_name="review", name="site", field=site(is_null=False)),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(fields=["site", "-signed_at", "id"], name="reviews_of_site"),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(fields=["site", "outcome", "-signed_at", "id"], name="reviews_by_outcome"),
        ),
    ]
