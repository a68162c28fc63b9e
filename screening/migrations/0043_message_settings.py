"""Settings of messages of a site, addresses and consent of patients; contacts of the system, which have no user.

SQLite copies the table of contacts for that, without its triggers: they are made again.
"""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import screening.models.message_settings
from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_contactattempt",), "screening_refuse_contact_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0042_reading_protocols"),
    ]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="email",
            field=models.CharField(blank=True, default="", max_length=254, verbose_name="e-mail address"),
        ),
        migrations.AddField(
            model_name="patient",
            name="email_consent",
            field=models.CharField(
                blank=True,
                choices=[("", "Not asked"), ("yes", "Yes"), ("no", "No")],
                default="",
                max_length=3,
                verbose_name="messages by e-mail",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="language",
            field=models.CharField(
                blank=True,
                default="",
                max_length=16,
                validators=[screening.models.message_settings.validate_language],
                verbose_name="language",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="sms_consent",
            field=models.CharField(
                blank=True,
                choices=[("", "Not asked"), ("yes", "Yes"), ("no", "No")],
                default="",
                max_length=3,
                verbose_name="text messages",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="message_language",
            field=models.CharField(
                blank=True,
                default="",
                help_text="For people whose language is not recorded, such as en. Empty: the language of this installation.",
                max_length=16,
                validators=[screening.models.message_settings.validate_language],
                verbose_name="language of messages",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="message_mode",
            field=models.CharField(
                choices=[
                    ("off", "Off"),
                    ("manual", "A person sends them"),
                    ("automatic", "Those of the due list are sent by themselves"),
                ],
                default="off",
                max_length=10,
                verbose_name="messages to people",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="message_phone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="For people to call.",
                max_length=40,
                verbose_name="telephone number in messages",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="message_sender",
            field=models.CharField(
                blank=True,
                default="",
                help_text="As people know the clinic. It must not name a disease.",
                max_length=40,
                verbose_name="name of the sender of messages",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="messages_need_consent",
            field=models.BooleanField(
                default=True,
                help_text="Off: people who were not asked get messages too. Those who refused never do.",
                verbose_name="messages need consent",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="phone_region",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of numbers without +, such as GB. Empty: no text message is sent to such a number.",
                max_length=2,
                validators=[screening.models.message_settings.validate_region],
                verbose_name="country of telephone numbers",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="quiet_from_h",
            field=models.PositiveSmallIntegerField(
                default=20,
                validators=[django.core.validators.MaxValueValidator(23)],
                verbose_name="no messages from (hour)",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="quiet_until_h",
            field=models.PositiveSmallIntegerField(
                default=8,
                validators=[django.core.validators.MaxValueValidator(23)],
                verbose_name="no messages until (hour)",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("email_consent__in", ["", "yes", "no"]), ("sms_consent__in", ["", "yes", "no"])),
                name="patient_consents_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("message_mode", "off"),
                    models.Q(
                        models.Q(("message_sender", ""), _negated=True), models.Q(("message_phone", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="site_messages_have_sender",
            ),
        ),
        migrations.RunPython(TRIGGERS.drop, TRIGGERS.create),
        migrations.AlterField(
            model_name="contactattempt",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="recorded by",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
