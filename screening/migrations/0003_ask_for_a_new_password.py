"""Note who must choose another password at the next log-in, and audit that they did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0002_make_audit_append_only")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(default=False, verbose_name="must choose another password"),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="verb",
            field=models.CharField(
                choices=[
                    ("patient.registered", "registered a patient"),
                    ("patient.updated", "changed a patient's details"),
                    ("patient.viewed", "looked at a patient"),
                    ("patients.searched", "searched patients"),
                    ("exam.opened", "opened an exam"),
                    ("exam.viewed", "looked at an exam"),
                    ("exam.submitted", "submitted an exam"),
                    ("exam.cancelled", "cancelled an exam"),
                    ("exam.eye_absent", "recorded an absent eye"),
                    ("image.attached", "added a photograph"),
                    ("image.viewed", "looked at a photograph"),
                    ("image.withdrawn", "withdrew a photograph"),
                    ("image.laterality_changed", "changed the eye of a photograph"),
                    ("grading.queued", "queued a grading"),
                    ("grading.done", "graded a photograph"),
                    ("grading.failed", "failed to grade a photograph"),
                    ("grading.retried", "asked for another try at grading"),
                    ("grading.requeued", "queued again what a crash left behind"),
                    ("photo.predicted", "graded a photograph without storing it"),
                    ("first_reading.recorded", "recorded a first reading"),
                    ("review.signed", "signed a review"),
                    ("review.amended", "amended a review"),
                    ("api_key.issued", "issued an API key"),
                    ("api_key.revoked", "revoked an API key"),
                    ("user.password_changed", "chose another password"),
                    ("row.added", "added a row in the admin panel"),
                    ("row.changed", "changed a row in the admin panel"),
                    ("row.removed", "removed a row in the admin panel"),
                ],
                max_length=40,
                verbose_name="verb",
            ),
        ),
    ]
