"""Letters: labels of their kinds and variants, and the built-in texts.

Texts to patients are for a reading age of about 11 years in English (NHS digital service manual: content for people
aged 9 to 11): short sentences, common words.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import choices
from screening.policy.letters import BatchState, LetterKind, LetterReason, LetterVariant

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

KIND_LABELS: dict[LetterKind, "_StrPromise"] = {
    LetterKind.INVITATION: _("Invitation"),
    LetterKind.REMINDER: _("Reminder"),
    LetterKind.DID_NOT_ATTEND: _("Missed appointment"),
    LetterKind.RESULT_RESCREEN: _("Result: screen again at the recall date"),
    LetterKind.RESULT_REPEAT: _("Result: take the photographs again"),
    LetterKind.RESULT_SLIT_LAMP: _("Result: slit-lamp examination"),
    LetterKind.RESULT_REFER: _("Result: referral"),
    LetterKind.RESULT_URGENT: _("Result: referral at once"),
    LetterKind.DOCTOR: _("Result to the doctor"),
    LetterKind.HOSPITAL: _("Referral to the eye hospital"),
}
VARIANT_LABELS: dict[LetterVariant, "_StrPromise"] = {
    LetterVariant.STANDARD: _("Standard print"),
    LetterVariant.LARGE_PRINT: _("Large print (18 pt)"),
    LetterVariant.PLAIN_TEXT: _("Text file"),
}
BATCH_STATE_LABELS: dict[BatchState, "_StrPromise"] = {
    BatchState.QUEUED: _("Waiting"),
    BatchState.RUNNING: _("The letters are being made"),
    BatchState.DONE: _("The letters are made and can be printed"),
    BatchState.CANCELLED: pgettext_lazy("letters", "Cancelled"),
    BatchState.FAILED: _("Failed: make the letters again"),
}
REASON_LABELS: dict[LetterReason, "_StrPromise"] = {
    LetterReason.NOT_INVITED: _("Not invited at present, by the register"),
    LetterReason.DECEASED: _("Deceased, by the register"),
    LetterReason.NOTHING_TO_DO: _("No letter is to be sent today"),
    LetterReason.WAITING: _("A message about the same waits already"),
    LetterReason.NO_ADDRESS: _("No postal address"),
    LetterReason.MADE_BEFORE: _("This letter was made before"),
    LetterReason.LATER_RESULT: _("A later exam of the person has a result"),
    LetterReason.REFUSED: _("The record has changed, or an address is missing in it or in the letterhead"),
    LetterReason.FAILED: _("The letter could not be made: make it alone, to see why"),
}
VARIANT_CHOICES = choices(VARIANT_LABELS)
BATCH_STATE_CHOICES = choices(BATCH_STATE_LABELS)
REASON_CHOICES = choices(REASON_LABELS)

_DEAR_PERSON, _DEAR_COLLEAGUE = _("Dear {name},"), _("Dear colleague,")
_YOURS = _("Yours sincerely,\n{site}")
_THANKS = _("Thank you for coming to have photos of your eyes taken on {visit_day}.")
_WORSE = _(
    "If your sight gets worse, do not wait for a letter. Call {phone}, or see an eye doctor. If you cannot see at all, "
    "go to a hospital now."
)
_CLINIC_WRITES = _(
    "We have asked the eye clinic to see you. It will send you a day and a time. If you hear nothing, please call "
    "{phone}."
)
_DIABETES = _("Diabetes can harm the back of your eyes. At first you do not see or feel it. So it is good to check.")
_CHOOSE_DAY = _("Please call {phone} to choose a day.")
_TEST = _("We take photos of the back of your eyes. It does not hurt. It takes less than an hour.")
_RESULT = _("Your eye test result")
BUILT_IN_SUBJECTS: dict[LetterKind, "_StrPromise"] = {
    **dict.fromkeys(LetterKind, _RESULT),
    LetterKind.INVITATION: _("Your eye test is due"),
    LetterKind.REMINDER: _("Your eye test: please call us"),
    LetterKind.DID_NOT_ATTEND: _("You missed your eye test"),
    LetterKind.DOCTOR: _("Diabetic retinopathy screening: result of {name}"),
    LetterKind.HOSPITAL: _("Referral from diabetic retinopathy screening: {name}"),
}
BUILT_IN_PARAGRAPHS: dict[LetterKind, "tuple[_StrPromise, ...]"] = {
    LetterKind.INVITATION: (
        _DEAR_PERSON,
        _("It is time for your eye test at {site}."),
        _DIABETES,
        _TEST,
        _CHOOSE_DAY,
        _YOURS,
    ),
    LetterKind.REMINDER: (
        _DEAR_PERSON,
        _("We wrote to you about your eye test at {site}. You have not come yet."),
        _DIABETES,
        _TEST,
        _CHOOSE_DAY,
        _YOURS,
    ),
    LetterKind.DID_NOT_ATTEND: (
        _DEAR_PERSON,
        _("You had a day for your eye test at {site}, but you did not come. We hope that you are well."),
        _DIABETES,
        _("Please call {phone} to choose a new day."),
        _YOURS,
    ),
    LetterKind.RESULT_RESCREEN: (
        _DEAR_PERSON,
        _THANKS,
        _("We found nothing in your photos that an eye doctor must treat now."),
        _("Please come to your next eye test. It is due on {recall_day}. We will write to you before that day."),
        _("The test looks for harm from diabetes. It does not find all eye problems, and it can miss some."),
        _WORSE,
        _YOURS,
    ),
    LetterKind.RESULT_REPEAT: (
        _DEAR_PERSON,
        _THANKS,
        _("Some of the photos are not clear. So we cannot tell you yet how your eyes are."),
        _("We need to take the photos again. Please call {phone} to choose a day."),
        _WORSE,
        _YOURS,
    ),
    LetterKind.RESULT_SLIT_LAMP: (
        _DEAR_PERSON,
        _THANKS,
        _("The photos do not show your eyes well enough. So we cannot tell you yet how your eyes are."),
        _("An eye doctor needs to look at your eyes with a special lamp."),
        _CLINIC_WRITES,
        _WORSE,
        _YOURS,
    ),
    LetterKind.RESULT_REFER: (
        _DEAR_PERSON,
        _THANKS,
        _("We found changes at the back of your eyes. An eye doctor needs to look at them."),
        _("You may need treatment. It works best if it starts early. Please go, even if you see well."),
        _CLINIC_WRITES,
        _WORSE,
        _YOURS,
    ),
    LetterKind.RESULT_URGENT: (
        _DEAR_PERSON,
        _THANKS,
        _("We found changes at the back of your eyes. An eye doctor needs to look at them very soon."),
        _("Please call {phone} today. We will tell you when and where to go."),
        _("You may need treatment. It can save your sight. Please do not wait, even if you see well."),
        _("If you cannot see at all, go to a hospital now."),
        _YOURS,
    ),
    LetterKind.DOCTOR: (
        _DEAR_COLLEAGUE,
        _(
            "{name}, born {born}, medical record number {mrn}, was screened for diabetic retinopathy at {site} on "
            "{visit_day}."
        ),
        _("Right eye: {right_eye}\nLeft eye: {left_eye}"),
        _("Result: {result}\nNext screening: {recall_day}"),
        _(
            "The photographs were graded by {reader}. Screening does not replace an eye examination: a colour "
            "photograph cannot exclude macular oedema or other disease."
        ),
        _YOURS,
    ),
    LetterKind.HOSPITAL: (
        _DEAR_COLLEAGUE,
        _("Please see {name}, born {born}, medical record number {mrn}.\nUrgency: {urgency}"),
        _("Screening for diabetic retinopathy at {site} on {visit_day} found:"),
        _("Right eye: {right_eye}\nLeft eye: {left_eye}"),
        _("Result: {result}"),
        _("The photographs were graded by {reader}; they follow this letter. Please send us what you find."),
        _YOURS,
    ),
}


def built_in_letter(kind: LetterKind) -> tuple[str, str]:
    """Subject and body in the active language, if the texts are translated into it."""
    return str(BUILT_IN_SUBJECTS[kind]), "\n\n".join(str(one) for one in BUILT_IN_PARAGRAPHS[kind])
