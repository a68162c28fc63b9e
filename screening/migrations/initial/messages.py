"""Messages to people, reports and letters."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import screening.models.documents
import screening.models.letter_batches

OPERATIONS = [
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
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="message_batches", to="screening.site"
                ),
            ),
            ("n_queued", models.PositiveIntegerField(verbose_name="queued")),
            ("n_not_sent", models.PositiveIntegerField(verbose_name="not sent")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "batch of messages",
            "verbose_name_plural": "batches of messages",
            "ordering": ["-created_at", "id"],
        },
    ),
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
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="screening.site"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="screening.patient"
                ),
            ),
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
            (
                "template",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.messagetemplate",
                ),
            ),
            ("appointment_at", models.DateTimeField(blank=True, null=True, verbose_name="appointment")),
            ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="to be sent at")),
            ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
            ("day", models.DateField(blank=True, null=True, verbose_name="day")),
            ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
            (
                "contact",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="message",
                    to="screening.contactattempt",
                ),
            ),
            (
                "batch",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="messages",
                    to="screening.messagebatch",
                ),
            ),
            (
                "queued_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="queued by",
                ),
            ),
        ],
        options={
            "verbose_name": "message",
            "verbose_name_plural": "messages",
            "ordering": ["-created_at", "id"],
            "indexes": [
                models.Index(fields=["site", "-created_at", "id"], name="messages_of_site"),
                models.Index(fields=["patient", "-created_at", "id"], name="messages_of_patient"),
                models.Index(
                    condition=models.Q(("state__in", ["queued", "sending"])), fields=["due_at"], name="messages_waiting"
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["queued", "sending"])),
                    fields=("patient", "kind"),
                    name="message_waits_once",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["sending", "sent"])),
                    fields=("patient", "day"),
                    name="message_once_a_day",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("kind__in", ["invitation", "reminder", "did_not_attend", "result_ready", "appointment"])
                    ),
                    name="message_kind_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["queued", "sending", "sent", "failed", "not_sent"])),
                    name="message_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state__in", ["queued", "sending"]), ("due_at__isnull", False)),
                        models.Q(
                            models.Q(("state__in", ["queued", "sending"]), _negated=True), ("due_at__isnull", True)
                        ),
                        _connector="OR",
                    ),
                    name="message_due_if_waiting",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("appointment_at__isnull", False), ("kind", "appointment")),
                        models.Q(models.Q(("kind", "appointment"), _negated=True), ("appointment_at__isnull", True)),
                        _connector="OR",
                    ),
                    name="message_has_appointment",
                ),
            ],
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
                "message",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="events", to="screening.message"
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
        ],
        options={
            "verbose_name": "event of a message",
            "verbose_name_plural": "events of messages",
            "ordering": ["created_at", "id"],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["queued", "sending", "sent", "failed", "not_sent"])),
                    name="message_event_state_known",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Document",
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
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="screening.site"
                ),
            ),
            (
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="screening.patient"
                ),
            ),
            (
                "exam",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="documents",
                    to="screening.exam",
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="documents",
                    to="screening.review",
                ),
            ),
            (
                "letterhead",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="documents",
                    to="screening.letterhead",
                ),
            ),
            (
                "variant",
                models.CharField(
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
            (
                "text",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="documents",
                    to="screening.messagetemplate",
                ),
            ),
            ("language", models.CharField(max_length=10, verbose_name="language")),
            ("has_heatmaps", models.BooleanField(default=False, verbose_name="with heatmaps")),
            ("data_sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the data")),
            (
                "requested_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "status",
                models.CharField(
                    choices=[("queued", "Waiting"), ("running", "Being made"), ("done", "Made"), ("failed", "Failed")],
                    default="queued",
                    max_length=8,
                    verbose_name="status",
                ),
            ),
            (
                "failure_code",
                models.CharField(
                    blank=True,
                    choices=[
                        (
                            "engine_unavailable",
                            "Documents cannot be made on this server, because Pango is not installed. Ask the administrator to install it, then make the document again.",
                        ),
                        (
                            "letters_missing",
                            "No font of this server has some of the letters. Ask the administrator to install fonts for the scripts of your patients, then make the document again.",
                        ),
                        (
                            "photo_missing",
                            "The file of a photograph could not be read. Tell the administrator, then make the document again.",
                        ),
                        ("data_changed", "The record was changed while the document was made. Make it again."),
                        ("storage_unavailable", "The document could not be stored. Make it again in a few minutes."),
                        ("time_limit", "The document took too long. Make it again."),
                        ("worker_lost", "The work on the document was interrupted. Make it again."),
                        (
                            "unexpected",
                            "The document could not be made. Make it again; if it happens again, tell your administrator.",
                        ),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="failure code",
                ),
            ),
            ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
            ("queued_at", models.DateTimeField(verbose_name="queued at")),
            ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="sent to the workers at")),
            ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started at")),
            ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
            (
                "file",
                models.FileField(
                    blank=True,
                    default="",
                    upload_to=screening.models.documents.random_document_name,
                    verbose_name="file",
                ),
            ),
            ("sha256", models.CharField(blank=True, default="", max_length=64, verbose_name="SHA-256 of the file")),
            ("n_bytes", models.PositiveIntegerField(blank=True, null=True, verbose_name="size (bytes)")),
        ],
        options={
            "verbose_name": "document",
            "verbose_name_plural": "documents",
            "ordering": ["-created_at", "id"],
            "indexes": [
                models.Index(fields=["status", "queued_at"], name="document_by_status"),
                models.Index(fields=["exam", "-created_at"], name="document_of_exam"),
                models.Index(fields=["patient", "-created_at"], name="document_of_patient"),
            ],
            "constraints": [
                models.CheckConstraint(
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
                models.CheckConstraint(
                    condition=models.Q(("variant__in", ["standard", "large_print", "plain_text"])),
                    name="document_variant_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("status__in", ["queued", "running", "done", "failed"])),
                    name="document_status_known",
                ),
                models.CheckConstraint(
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
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("failure_code", ""),
                            ("n_bytes__isnull", False),
                            ("status", "done"),
                            models.Q(("file", ""), _negated=True),
                            models.Q(("sha256", ""), _negated=True),
                        ),
                        models.Q(
                            models.Q(("status", "done"), _negated=True),
                            ("file", ""),
                            ("n_bytes__isnull", True),
                            ("sha256", ""),
                        ),
                        _connector="OR",
                    ),
                    name="document_done_has_file",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            (
                                "failure_code__in",
                                [
                                    "engine_unavailable",
                                    "letters_missing",
                                    "photo_missing",
                                    "data_changed",
                                    "storage_unavailable",
                                    "time_limit",
                                    "worker_lost",
                                    "unexpected",
                                ],
                            ),
                            ("status", "failed"),
                        ),
                        models.Q(models.Q(("status", "failed"), _negated=True), ("failure_code", "")),
                        _connector="OR",
                    ),
                    name="document_failed_has_code",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="LetterBatch",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="letter_batches", to="screening.site"
                ),
            ),
            (
                "variant",
                models.CharField(
                    choices=[
                        ("standard", "Standard print"),
                        ("large_print", "Large print (18 pt)"),
                        ("plain_text", "Text file"),
                    ],
                    max_length=12,
                    verbose_name="variant",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("queued", "Waiting"),
                        ("running", "The letters are being made"),
                        ("done", "The letters are made and can be printed"),
                        ("cancelled", "Cancelled"),
                        ("failed", "Failed: make the letters again"),
                    ],
                    db_index=True,
                    default="queued",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("n_letters", models.PositiveIntegerField(verbose_name="letters to make")),
            ("n_attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
            ("worked_at", models.DateTimeField(auto_now_add=True, verbose_name="last worked on at")),
            ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
            (
                "pdf",
                models.FileField(
                    blank=True,
                    default="",
                    upload_to=screening.models.letter_batches.random_batch_name,
                    verbose_name="PDF",
                ),
            ),
            (
                "archive",
                models.FileField(
                    blank=True,
                    default="",
                    upload_to=screening.models.letter_batches.random_batch_name,
                    verbose_name="archive",
                ),
            ),
            ("files_deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="files deleted at")),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                    verbose_name="created by",
                ),
            ),
        ],
        options={
            "verbose_name": "batch of letters",
            "verbose_name_plural": "batches of letters",
            "ordering": ["-created_at", "id"],
            "indexes": [models.Index(fields=["site", "-created_at"], name="letter_batches_of_site")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("state__in", ["queued", "running", "done", "cancelled", "failed"])),
                    name="letter_batch_state_known",
                ),
                models.CheckConstraint(
                    condition=models.Q(("variant__in", ["standard", "large_print", "plain_text"])),
                    name="letter_batch_variant_known",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="BatchLetter",
        fields=[
            (
                "id",
                models.UUIDField(
                    default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                ),
            ),
            ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            (
                "batch",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="letters", to="screening.letterbatch"
                ),
            ),
            ("position", models.PositiveIntegerField(verbose_name="position")),
            (
                "patient",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.patient"
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.review",
                ),
            ),
            (
                "kind",
                models.CharField(
                    blank=True,
                    choices=[
                        ("clinical_report", "Clinical report"),
                        ("result_letter", "Letter to the patient"),
                        ("doctor_letter", "Letter to the doctor"),
                        ("referral_letter", "Letter to the eye hospital"),
                        ("invitation_letter", "Invitation"),
                        ("reminder_letter", "Reminder"),
                        ("missed_letter", "Letter after a missed appointment"),
                    ],
                    default="",
                    max_length=20,
                    verbose_name="kind",
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
                "reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("not_invited", "Not invited at present, by the register"),
                        ("deceased", "Deceased, by the register"),
                        ("nothing", "No letter is to be sent today"),
                        ("waiting", "A message about the same waits already"),
                        ("no_address", "No postal address"),
                        ("made_before", "This letter was made before"),
                        ("later_result", "A later exam of the person has a result"),
                        ("refused", "The record has changed, or an address is missing in it or in the letterhead"),
                        ("failed", "The letter could not be made: make it alone, to see why"),
                    ],
                    default="",
                    max_length=12,
                    verbose_name="reason",
                ),
            ),
            (
                "document",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="screening.document",
                ),
            ),
        ],
        options={
            "verbose_name": "letter of a batch",
            "verbose_name_plural": "letters of batches",
            "ordering": ["position"],
            "constraints": [
                models.UniqueConstraint(fields=("batch", "position"), name="batch_letter_position_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        ("reason", ""),
                        models.Q(
                            ("document__isnull", True),
                            (
                                "reason__in",
                                [
                                    "not_invited",
                                    "deceased",
                                    "nothing",
                                    "waiting",
                                    "no_address",
                                    "made_before",
                                    "later_result",
                                    "refused",
                                    "failed",
                                ],
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="batch_letter_reason_known",
                ),
            ],
        },
    ),
]
