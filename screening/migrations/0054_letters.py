"""Letters: addresses, kinds and variants of documents, texts of letters beside those of messages.

SQLite copies the tables, which lose their triggers: they are dropped and created again. Going back is refused by the
constraints if there are letters.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

messages = import_module("screening.migrations.0044_messages")
documents = import_module("screening.migrations.0047_documents")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0053_tries_of_imports"),
    ]

    operations = [
        migrations.RunPython(messages.TRIGGERS.drop, messages.TRIGGERS.create),
        migrations.RunPython(documents.TRIGGERS.drop, documents.TRIGGERS.create),
        migrations.RemoveConstraint(
            model_name="document",
            name="document_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="document",
            name="document_report_has_review",
        ),
        migrations.RemoveConstraint(
            model_name="messagetemplate",
            name="message_template_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="messagetemplate",
            name="message_template_channel_known",
        ),
        migrations.AddField(
            model_name="document",
            name="text",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="screening.messagetemplate",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="variant",
            field=models.CharField(
                choices=[
                    ("standard", "Standard print"),
                    ("large_print", "Large print (18 pt)"),
                    ("plain_text", "Text file"),
                ],
                default="standard",
                max_length=12,
                verbose_name="variant",
            ),
        ),
        migrations.AddField(
            model_name="letterhead",
            name="hospital_address",
            field=models.TextField(
                blank=True, default="", max_length=492, verbose_name="name and address of the eye hospital"
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="doctor_address",
            field=models.TextField(
                blank=True, default="", max_length=492, verbose_name="name and address of the doctor"
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="postal_address",
            field=models.TextField(blank=True, default="", max_length=492, verbose_name="postal address"),
        ),
        migrations.AddField(
            model_name="stagedperson",
            name="doctor_address",
            field=models.TextField(blank=True, default="", max_length=492),
        ),
        migrations.AddField(
            model_name="stagedperson",
            name="postal_address",
            field=models.TextField(blank=True, default="", max_length=492),
        ),
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(
                choices=[
                    ("clinical_report", "Clinical report"),
                    ("result_letter", "Letter to the patient"),
                    ("doctor_letter", "Letter to the doctor"),
                    ("referral_letter", "Letter to the eye hospital"),
                    ("invitation_letter", "Invitation"),
                    ("reminder_letter", "Reminder"),
                    ("missed_letter", "Letter after a missed appointment"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="body",
            field=models.CharField(max_length=3000, verbose_name="text"),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("sms", "Text message"), ("letter", "Letter")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invitation", "Invitation"),
                    ("reminder", "Reminder"),
                    ("did_not_attend", "Missed appointment"),
                    ("result_ready", "Result is ready"),
                    ("appointment", "Appointment"),
                    ("result_rescreen", "Result: screen again at the recall date"),
                    ("result_repeat", "Result: take the photographs again"),
                    ("result_slit_lamp", "Result: slit-lamp examination"),
                    ("result_refer", "Result: referral"),
                    ("result_urgent", "Result: referral at once"),
                    ("doctor", "Result to the doctor"),
                    ("hospital", "Referral to the eye hospital"),
                ],
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["patient", "-created_at"], name="document_of_patient"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "clinical_report",
                            "result_letter",
                            "doctor_letter",
                            "referral_letter",
                            "invitation_letter",
                            "reminder_letter",
                            "missed_letter",
                        ],
                    )
                ),
                name="document_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("variant__in", ["standard", "large_print", "plain_text"])),
                name="document_variant_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["clinical_report", "result_letter", "doctor_letter", "referral_letter"]),
                        _negated=True,
                    ),
                    models.Q(("exam__isnull", False), ("review__isnull", False)),
                    _connector="OR",
                ),
                name="document_has_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("channel", "letter"),
                        (
                            "kind__in",
                            [
                                "invitation",
                                "reminder",
                                "did_not_attend",
                                "result_rescreen",
                                "result_repeat",
                                "result_slit_lamp",
                                "result_refer",
                                "result_urgent",
                                "doctor",
                                "hospital",
                            ],
                        ),
                    ),
                    models.Q(
                        ("channel__in", ["email", "sms"]),
                        ("kind__in", ["invitation", "reminder", "did_not_attend", "result_ready", "appointment"]),
                    ),
                    _connector="OR",
                ),
                name="message_template_key_known",
            ),
        ),
        migrations.RunPython(documents.TRIGGERS.create, documents.TRIGGERS.drop),
        migrations.RunPython(messages.TRIGGERS.create, messages.TRIGGERS.drop),
    ]
