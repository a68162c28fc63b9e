"""Messages to people: texts, batches, messages and their append-only log."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(
    ("screening_messageevent", "screening_messagetemplate"), "screening_refuse_message_change"
)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0043_message_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
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
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder"),
                            ("did_not_attend", "Missed appointment"),
                            ("result_ready", "Result is ready"),
                            ("appointment", "Appointment"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[("email", "E-mail"), ("sms", "Text message")],
                        default="",
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("invite", "Invite"),
                            ("remind", "Remind"),
                            ("second_try", "Invite a second time"),
                            ("phone", "Telephone"),
                            ("lost", "Inform the doctor: lost to follow-up"),
                        ],
                        default="",
                        max_length=12,
                        verbose_name="step",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("not_sent", "Not sent"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("site_off", "Messages are switched off at this site"),
                            ("not_invited", "Not invited at present, by the register"),
                            ("nothing_to_do", "No message is to be sent today"),
                            ("no_channel", "This installation cannot send to the addresses of the person"),
                            ("bad_address", "The address or the number is not valid"),
                            ("no_consent", "The person was not asked about messages"),
                            ("refused", "The person does not want messages"),
                            ("no_address", "No e-mail address and no telephone number"),
                            ("waiting", "A message of this kind waits already"),
                            ("no_result", "There is no signed result"),
                            ("outdated", "Out of date before it was sent"),
                            ("rejected", "The address or the number was refused"),
                            ("temporary", "The mail server or the provider was unavailable"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="",
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("language", models.CharField(blank=True, default="", max_length=16, verbose_name="language")),
                ("appointment_at", models.DateTimeField(blank=True, null=True, verbose_name="appointment")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="to be sent at")),
                ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("day", models.DateField(blank=True, null=True, verbose_name="day")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="MessageBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("n_queued", models.PositiveIntegerField(verbose_name="queued")),
                ("n_not_sent", models.PositiveIntegerField(verbose_name="not sent")),
            ],
            options={
                "verbose_name": "batch of messages",
                "verbose_name_plural": "batches of messages",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="MessageEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("not_sent", "Not sent"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("site_off", "Messages are switched off at this site"),
                            ("not_invited", "Not invited at present, by the register"),
                            ("nothing_to_do", "No message is to be sent today"),
                            ("no_channel", "This installation cannot send to the addresses of the person"),
                            ("bad_address", "The address or the number is not valid"),
                            ("no_consent", "The person was not asked about messages"),
                            ("refused", "The person does not want messages"),
                            ("no_address", "No e-mail address and no telephone number"),
                            ("waiting", "A message of this kind waits already"),
                            ("no_result", "There is no signed result"),
                            ("outdated", "Out of date before it was sent"),
                            ("rejected", "The address or the number was refused"),
                            ("temporary", "The mail server or the provider was unavailable"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="",
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a message",
                "verbose_name_plural": "events of messages",
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="MessageTemplate",
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
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder"),
                            ("did_not_attend", "Missed appointment"),
                            ("result_ready", "Result is ready"),
                            ("appointment", "Appointment"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "E-mail"), ("sms", "Text message")], max_length=8, verbose_name="channel"
                    ),
                ),
                ("language", models.CharField(max_length=16, verbose_name="language")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("subject", models.CharField(blank=True, default="", max_length=120, verbose_name="subject")),
                ("body", models.CharField(max_length=2000, verbose_name="text")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
            ],
            options={
                "verbose_name": "text of messages",
                "verbose_name_plural": "texts of messages",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="contact",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="message",
                to="screening.contactattempt",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="screening.patient"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="queued_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="queued by",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="screening.site"
            ),
        ),
        migrations.AddField(
            model_name="messagebatch",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="messagebatch",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="message_batches", to="screening.site"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="screening.messagebatch",
            ),
        ),
        migrations.AddField(
            model_name="messageevent",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="events", to="screening.message"
            ),
        ),
        migrations.AddField(
            model_name="messagetemplate",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="messagetemplate",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="message_templates", to="screening.site"
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="template",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="screening.messagetemplate",
            ),
        ),
        migrations.AddConstraint(
            model_name="messageevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "sending", "sent", "failed", "not_sent"])),
                name="message_event_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.UniqueConstraint(
                fields=("site", "kind", "channel", "language", "number"), name="message_template_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["invitation", "reminder", "did_not_attend", "result_ready", "appointment"])
                ),
                name="message_template_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["email", "sms"])), name="message_template_channel_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="message_template_version_from_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="message_template_has_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["site", "-created_at", "id"], name="messages_of_site"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["patient", "-created_at", "id"], name="messages_of_patient"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "sending"])), fields=["due_at"], name="messages_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["queued", "sending"])),
                fields=("patient", "kind"),
                name="message_waits_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["sending", "sent"])),
                fields=("patient", "day"),
                name="message_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["invitation", "reminder", "did_not_attend", "result_ready", "appointment"])
                ),
                name="message_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "sending", "sent", "failed", "not_sent"])),
                name="message_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["queued", "sending"]), ("due_at__isnull", False)),
                    models.Q(models.Q(("state__in", ["queued", "sending"]), _negated=True), ("due_at__isnull", True)),
                    _connector="OR",
                ),
                name="message_due_if_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("appointment_at__isnull", False), ("kind", "appointment")),
                    models.Q(models.Q(("kind", "appointment"), _negated=True), ("appointment_at__isnull", True)),
                    _connector="OR",
                ),
                name="message_has_appointment",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
