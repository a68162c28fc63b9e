"""Triggers that make audit events and first readings append-only.

They refuse UPDATE and DELETE, and TRUNCATE on PostgreSQL (SQLite has none), for every database user.
"""

from django.db import migrations

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_auditevent", "screening_firstreading"), "screening_refuse_change")


class Migration(migrations.Migration):
    dependencies = [("screening", "0001_initial")]

    operations = [migrations.RunPython(TRIGGERS.create, TRIGGERS.drop)]
