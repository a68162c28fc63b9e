"""Store with a first reading why it is not blind. Earlier readings were not checked: their reason stays empty.

SQLite copies the table for a constraint, which loses its triggers: they are dropped and created again.
"""

from importlib import import_module

from django.db import migrations, models

triggers = import_module("screening.migrations.0002_append_only_audit")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0019_capture"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
        migrations.AddField(
            model_name="firstreading",
            name="not_blind_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("site_shows_result", "the site shows the model's result with the photographs"),
                    ("earlier_reading", "the reader had seen the model's result in an earlier reading"),
                    ("other_role", "the reader had seen the model's result in another role"),
                    ("predicted", "the reader had the photograph graded before"),
                    (
                        "same_picture",
                        "the reader had seen the model's result for the same picture in another exam",
                    ),
                    ("same_person", "the reader had seen the model's result of another exam of this person"),
                ],
                default="",
                max_length=20,
                verbose_name="not blind",
            ),
        ),
        migrations.AddConstraint(
            model_name="firstreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "not_blind_reason__in",
                        [
                            "",
                            "site_shows_result",
                            "earlier_reading",
                            "other_role",
                            "predicted",
                            "same_picture",
                            "same_person",
                        ],
                    )
                ),
                name="first_reading_not_blind_known",
            ),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
    ]
