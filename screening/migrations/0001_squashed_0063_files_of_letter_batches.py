"""All tables and triggers, in place of the first 63 migrations.

A database that has all of these needs nothing. One that has some of them is first migrated with the commit before the
one that added this file; Django refuses it otherwise.
"""

from django.db import migrations

from screening.migrations.initial import (
    accounts,
    exams,
    imports,
    messages,
    patients,
    photographs,
    readings,
    referrals,
    site_rules,
    teaching,
)
from screening.migrations.initial.triggers import create_all, drop_all

TABLES = (accounts, site_rules, patients, exams, photographs, readings, teaching, referrals, messages, imports)


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("screening", "0001_initial"),
        ("screening", "0002_append_only_audit"),
        ("screening", "0003_capture_date_and_withdrawal_code"),
        ("screening", "0004_quality_level"),
        ("screening", "0005_patient_names_and_births"),
        ("screening", "0006_fold_patients"),
        ("screening", "0007_patient_indexes"),
        ("screening", "0008_idempotency_keys"),
        ("screening", "0009_corrections"),
        ("screening", "0010_reading_drafts"),
        ("screening", "0011_laterality_suggested"),
        ("screening", "0012_perceptual_hashes"),
        ("screening", "0013_writing"),
        ("screening", "0014_macular_oedema"),
        ("screening", "0015_failed_logins"),
        ("screening", "0016_served_models"),
        ("screening", "0017_site_thresholds"),
        ("screening", "0018_audit_of_access"),
        ("screening", "0019_capture"),
        ("screening", "0020_not_blind_readings"),
        ("screening", "0021_photo_uploads"),
        ("screening", "0022_lockout_notices_and_purposes"),
        ("screening", "0023_segments_of_uploads"),
        ("screening", "0024_reading_layouts"),
        ("screening", "0025_visit_facts"),
        ("screening", "0026_structured_findings"),
        ("screening", "0027_worklist_bands"),
        ("screening", "0028_photocoagulation"),
        ("screening", "0029_worklist_layouts"),
        ("screening", "0030_lesion_marks"),
        ("screening", "0031_outcome_tables"),
        ("screening", "0032_worklist_indexes"),
        ("screening", "0033_exam_locks"),
        ("screening", "0034_register"),
        ("screening", "0035_recall"),
        ("screening", "0036_landmarks"),
        ("screening", "0037_referrals"),
        ("screening", "0038_referrals_of_signed_reviews"),
        ("screening", "0039_contacts"),
        ("screening", "0040_recall_runs"),
        ("screening", "0041_exam_states"),
        ("screening", "0042_reading_protocols"),
        ("screening", "0043_message_settings"),
        ("screening", "0044_messages"),
        ("screening", "0045_outside_readers"),
        ("screening", "0046_imports"),
        ("screening", "0047_documents"),
        ("screening", "0048_bookings"),
        ("screening", "0049_readings"),
        ("screening", "0050_teaching_sets"),
        ("screening", "0051_remove_repeats"),
        ("screening", "0052_language_of_account"),
        ("screening", "0053_tries_of_imports"),
        ("screening", "0054_letters"),
        ("screening", "0055_letter_batches"),
        ("screening", "0056_bookings_of_merged_records"),
        ("screening", "0057_index_of_signing_times"),
        ("screening", "0058_repeats"),
        ("screening", "0059_imports_without_language"),
        ("screening", "0060_months_until_lost"),
        ("screening", "0061_staff"),
        ("screening", "0062_audit_indexes"),
        ("screening", "0063_files_of_letter_batches"),
    ]
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        *(operation for tables in TABLES for operation in tables.OPERATIONS),
        migrations.RunPython(create_all, drop_all),
    ]
