"""Heatmaps move from the rows of gradings to a separate table, and the table of gradings is written again without them."""

from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
import numpy as np
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

BATCH = 2000
STEPS = 10_000


def encode(values: list[list[float]] | None) -> bytes | None:
    """Height and width, a byte each, then the values in steps as uint16."""
    if values is None:
        return None
    grid = np.asarray(values)
    if grid.ndim != 2 or not grid.size > 0 or max(grid.shape) > 255 or not (grid.min() >= 0 and grid.max() <= 1):
        raise ValueError("A grading has a heatmap that is not one: numbers in rows, from 0 to 1")
    steps = np.rint(grid * STEPS).astype("<u2")
    return bytes(grid.shape) + bytes(steps.tobytes())


def decode(stored: bytes | memoryview | None) -> list[list[float]] | None:
    """The rows of a heatmap."""
    if stored is None:
        return None
    data = bytes(stored)
    steps = np.frombuffer(data, "<u2", offset=2).reshape(data[0], data[1])
    rows: list[list[float]] = (steps.astype(np.float32) / np.float32(STEPS)).tolist()
    return rows


def batches(rows: Any) -> Iterator[list[Any]]:
    """The rows of a table in the order of their keys."""
    batch = list(rows.order_by("pk")[:BATCH])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH])


def move(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy the heatmaps of each grading."""
    heatmaps = apps.get_model("screening", "Heatmap").objects
    has_one = Q(heatmap__isnull=False) | Q(oedema_heatmap__isnull=False)
    columns = ("heatmap", "oedema_heatmap", "heatmap_box")
    for batch in batches(apps.get_model("screening", "Grading").objects.filter(has_one).only("pk", *columns)):
        heatmaps.bulk_create(
            heatmaps.model(
                grading_id=row.pk,
                of_grade=encode(row.heatmap),
                of_oedema=encode(row.oedema_heatmap),
                box=row.heatmap_box,
            )
            for row in batch
        )
        check_keys(schema_editor)


def move_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy the heatmaps to their gradings."""
    gradings: Any = apps.get_model("screening", "Grading").objects
    for batch in batches(apps.get_model("screening", "Heatmap").objects.all()):
        for row in batch:
            columns = {"heatmap": decode(row.of_grade), "oedema_heatmap": decode(row.of_oedema)}
            gradings.filter(pk=row.pk).update(**columns, heatmap_box=row.box)


def check_keys(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """PostgreSQL changes no table with constraints that are still to be checked."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def rewrite(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the table of gradings again: PostgreSQL keeps the values of a removed column in its rows until then."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CLUSTER screening_grading USING grading_newest")
        schema_editor.execute("ALTER TABLE screening_grading SET WITHOUT CLUSTER")
        schema_editor.execute("ANALYZE screening_grading")
        schema_editor.execute("ANALYZE screening_heatmap")


def oedema_consistent() -> models.CheckConstraint:
    """The constraint of macular oedema in a row of a grading."""
    nothing = Q(p_macular_oedema__isnull=True, suspects_oedema__isnull=True)
    is_graded = Q(status="done", is_gradable=True, oedema_operating_point__isnull=False)
    not_assessed = nothing & (Q(oedema_operating_point__isnull=True) | is_graded)
    assessed = is_graded & Q(p_macular_oedema__isnull=False, suspects_oedema__isnull=False)
    return models.CheckConstraint(condition=not_assessed | assessed, name="grading_oedema_consistent")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0078_indexes_of_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heatmap",
            fields=[
                (
                    "grading",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stored_heatmap",
                        serialize=False,
                        to="screening.grading",
                        verbose_name="grading",
                    ),
                ),
                ("of_grade", models.BinaryField(null=True, verbose_name="heatmap")),
                ("of_oedema", models.BinaryField(null=True, verbose_name="heatmap of macular oedema")),
                ("box", models.JSONField(null=True, verbose_name="box of the heatmap on the photograph")),
            ],
            options={
                "verbose_name": "heatmap",
                "verbose_name_plural": "heatmaps",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(of_grade__isnull=False) | Q(of_oedema__isnull=False), name="heatmap_not_empty"
                    ),
                ],
            },
        ),
        migrations.RunPython(move, move_back),
        migrations.RemoveConstraint(model_name="grading", name="grading_oedema_consistent"),
        migrations.RemoveField(model_name="grading", name="heatmap"),
        migrations.RemoveField(model_name="grading", name="oedema_heatmap"),
        migrations.RemoveField(model_name="grading", name="heatmap_box"),
        migrations.AddConstraint(model_name="grading", constraint=oedema_consistent()),
        migrations.RunPython(rewrite, migrations.RunPython.noop),
    ]
