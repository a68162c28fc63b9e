"""Who may get a message by which channel and when, and which texts are refused."""

import datetime
from itertools import product

import pytest
from django.utils import translation
from django.utils.formats import date_format
from hypothesis import given
from hypothesis import strategies as st

from screening.labels.messages import built_in_text, problem_text
from screening.phone_numbers import InvalidPhoneNumber, mobile_number
from screening.policy.message_texts import (
    CLINICAL_STEMS,
    REVEALING_VARIABLES,
    FoundProblem,
    clinical_term,
    count_segments,
    fill,
    header_text,
    text_problem,
)
from screening.policy.message_texts import TextProblem as P
from screening.policy.messages import (
    MAX_ATTEMPTS,
    ChannelFacts,
    MessageConsent,
    QuietHours,
    choose_channel,
    kind_of_step,
    may_get_messages,
    retry_at,
)
from screening.policy.messages import MessageChannel as C
from screening.policy.messages import MessageKind as K
from screening.policy.messages import MessageReason as R
from screening.policy.recall import ContactKind, NextStep
from screening.policy.register import RegisterStatus

EXAMPLE = {"name": "Maria-Magdalena Fitzgerald-Thompson", "sender": "Harbour Clinic", "site": "Harbour Clinic",
           "phone": "+44 20 7946 0000", "day": "30 September 2026", "time": "11:30 a.m."}  # fmt: skip
FACTS = {
    "yes": ChannelFacts(has_address=True, is_valid=True, consent=MessageConsent.GIVEN),
    "unasked": ChannelFacts(has_address=True, is_valid=True, consent=MessageConsent.UNKNOWN),
    "no": ChannelFacts(has_address=True, is_valid=True, consent=MessageConsent.REFUSED),
    "none": ChannelFacts(has_address=False, is_valid=False, consent=MessageConsent.UNKNOWN),
    "bad": ChannelFacts(has_address=True, is_valid=False, consent=MessageConsent.GIVEN),
}


def problem(body: str, *, kind: K = K.INVITATION, channel: C = C.EMAIL, subject: str = "Hello") -> FoundProblem | None:
    return text_problem(kind=kind, channel=channel, subject=subject, body=body, example=EXAMPLE)


@pytest.mark.parametrize(
    ("email", "sms", "expected"),
    [
        ("yes", "yes", C.EMAIL),
        ("no", "yes", C.SMS),
        ("none", "yes", C.SMS),
        ("bad", "yes", C.SMS),
        ("unasked", "no", R.NO_CONSENT),
        ("no", "none", R.REFUSED),
        ("none", "none", R.NO_ADDRESS),
        ("bad", "none", R.BAD_ADDRESS),
        ("no", "no", R.REFUSED),
    ],
)
def test_the_first_channel_that_is_allowed_and_valid_is_used(email: str, sms: str, expected: object) -> None:
    facts = {C.EMAIL: FACTS[email], C.SMS: FACTS[sms]}
    assert choose_channel(facts, available=set(C), needs_consent=True) == expected


def test_without_a_server_or_a_hook_nothing_is_sent_and_a_refusal_always_counts() -> None:
    for email, sms, needs_consent, available in product(FACTS, FACTS, (True, False), ((), (C.SMS,), tuple(C))):
        facts = {C.EMAIL: FACTS[email], C.SMS: FACTS[sms]}
        chosen = choose_channel(facts, available=available, needs_consent=needs_consent)
        if isinstance(chosen, C):
            assert chosen in available
            assert facts[chosen].is_valid
            assert facts[chosen].consent is not MessageConsent.REFUSED
            assert facts[chosen].consent is MessageConsent.GIVEN or not needs_consent
    assert choose_channel({C.EMAIL: FACTS["yes"], C.SMS: FACTS["no"]}, available=(), needs_consent=True) == R.NO_CHANNEL


def test_only_people_who_are_eligible_get_messages() -> None:
    assert [status for status in RegisterStatus if may_get_messages(status)] == [RegisterStatus.ELIGIBLE]


@pytest.mark.parametrize(
    ("step", "last", "kind"),
    [
        (NextStep.INVITE, None, K.INVITATION),
        (NextStep.REMIND, ContactKind.INVITATION, K.REMINDER),
        (NextStep.SECOND_TRY, ContactKind.REMINDER, K.INVITATION),
        (NextStep.SECOND_TRY, ContactKind.NO_SHOW, K.DID_NOT_ATTEND),
        (NextStep.PHONE, ContactKind.SECOND_TRY, None),
        (NextStep.LOST, ContactKind.PHONE_CALL, None),
    ],
)
def test_the_kind_follows_from_the_next_step(step: NextStep, last: ContactKind | None, kind: K | None) -> None:
    assert kind_of_step(step, last) is kind


def at(hour: int, minute: int = 0, day: int = 1) -> datetime.datetime:
    return datetime.datetime(2026, 3, day, hour, minute, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        ((20, 8), at(19, 59), None),
        ((20, 8), at(20), at(8, day=2)),
        ((20, 8), at(23, 59), at(8, day=2)),
        ((20, 8), at(7, 59), at(8)),
        ((20, 8), at(8), None),
        ((12, 14), at(13), at(14)),
        ((12, 14), at(14), None),
        ((0, 0), at(3), None),
    ],
)
def test_quiet_hours_end(hours: tuple[int, int], now: datetime.datetime, end: datetime.datetime | None) -> None:
    assert QuietHours(*hours).end(now) == end


@given(
    st.integers(0, 23),
    st.integers(0, 23),
    st.datetimes(timezones=st.just(datetime.UTC)).filter(lambda d: d.year < 9998),
)
def test_after_the_quiet_hours_it_is_not_quiet(from_h: int, until_h: int, now: datetime.datetime) -> None:
    hours = QuietHours(from_h, until_h)
    for moment in (hours.end(now), hours.next_day(now)):
        assert moment is None or (moment > now and hours.end(moment) is None)
    assert hours.next_day(now).date() == now.date() + datetime.timedelta(days=1)


def test_a_temporary_failure_is_retried_later_each_time_and_then_fails() -> None:
    waits = [retry_at(at(9), n) for n in range(1, MAX_ATTEMPTS)]
    assert waits == sorted(waits, key=lambda one: one or at(9))
    assert all(one is not None and one > at(9) for one in waits)
    assert retry_at(at(9), MAX_ATTEMPTS) is None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Dear {name}, call {phone}. {sender}, {site}", None),
        (" \n", P.EMPTY),
        ("{nme}", P.UNKNOWN_VARIABLE),
        ("{name.__class__}", P.UNKNOWN_VARIABLE),
        ("{}", P.UNKNOWN_VARIABLE),
        ("{{name}}", P.BRACES),
        ("{% if x %}", P.UNKNOWN_VARIABLE),
        ("{name", P.BRACES),
        ("{grade}", P.REVEALING_VARIABLE),
        ("{MRN}", P.REVEALING_VARIABLE),
        ("On {day}", P.APPOINTMENT_VARIABLE),
        ("<b>Hello</b>", P.HTML),
        ("Tom &amp; Ann", P.HTML),
        ("your DIABETES screening", P.CLINICAL),
        ("Ihre Netzhaut", P.CLINICAL),
        ("la rétinopathie", P.CLINICAL),
        ("dia\u00adbetes", P.CLINICAL),
        ("macular oedema", P.CLINICAL),
        ("all was normal", P.CLINICAL),
        ("call us\x00", P.CONTROL),
        ("x" * 2001, P.TOO_LONG),
    ],
)
def test_a_text_is_refused_with_one_sentence(body: str, found: P | None) -> None:
    result = problem(body)
    assert (result and result.problem) == found
    if result is not None:
        assert problem_text(result, K.INVITATION).endswith(".")
        assert "%(" not in problem_text(result, K.INVITATION)


def test_subjects_and_days_are_checked() -> None:
    assert problem("Hello", subject="") == FoundProblem("subject", P.SUBJECT_MISSING)
    assert problem("Hello", subject="Hi\nBcc: x@example.org") == FoundProblem("subject", P.SUBJECT_LINES)
    assert problem("Hello", subject="Your diabetes") == FoundProblem("subject", P.CLINICAL, "diabetes")
    assert problem("Hello", channel=C.SMS) == FoundProblem("subject", P.SUBJECT_SURPLUS)
    assert problem("Come at {time}", kind=K.APPOINTMENT) == FoundProblem("body", P.DAY_MISSING)
    assert problem("Come on {day}", kind=K.APPOINTMENT) is None
    long = "{name} " * 14
    assert problem(long, channel=C.SMS, subject="") == FoundProblem("body", P.TOO_MANY_SEGMENTS, "4")


@pytest.mark.parametrize("kind", K)
@pytest.mark.parametrize("channel", C)
def test_the_built_in_texts_are_accepted(kind: K, channel: C) -> None:
    with translation.override("en"):
        subject, body = built_in_text(kind, channel)
    assert problem(body, kind=kind, channel=channel, subject=subject) is None
    if channel is C.SMS:
        assert count_segments(fill(body, EXAMPLE)) <= 2


@pytest.mark.parametrize("kind", K)
def test_a_built_in_text_message_is_one_segment_in_each_language(kind: K) -> None:
    values = {"phone": "+44 20 7946 0000", "time": "09:30"}
    senders = {"en": "Harbour Clinic", "fr": "Clinique du Port", "de": "Klinik am Hafen", "es": "Centro del Puerto"}
    for language, sender in {**senders, "ar": "عيادة المرفأ"}.items():
        with translation.override(language):
            day = date_format(datetime.date(2027, 1, 31), "DATE_FORMAT")
            text = fill(built_in_text(kind, C.SMS)[1], {**values, "sender": sender, "day": day})
        assert count_segments(text) == 1, text


@given(st.sampled_from(CLINICAL_STEMS), st.sampled_from(["", "s", "ity"]), st.sampled_from([str.upper, str.title, str]))
def test_every_listed_word_is_found_in_any_case(stem: str, ending: str, case: object) -> None:
    assert callable(case)
    assert clinical_term(f"Come, {case(stem + ending)}, at noon")


def test_no_allowed_variable_reveals_anything() -> None:
    assert not set(EXAMPLE) & set(REVEALING_VARIABLES)
    assert clinical_term("Predict a bedemand; unlaser; call us about your retirement") == ""


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_by_alphabet(text: str, n: int) -> None:
    assert count_segments(text) == n


def test_a_value_is_never_read_for_variables() -> None:
    assert fill("{name}: {phone}", {"name": "{phone}", "phone": "1"}) == "{phone}: 1"
    assert header_text("Ada\r\nBcc: x@example.org\u2028!") == "Ada Bcc: x@example.org !"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+44 7400 123456", "", "+447400123456"),
        ("07400 123456", "GB", "+447400123456"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("07400 123456", "", None),  # of which country?
        ("020 7946 0000", "GB", None),  # a fixed line
        ("+44 7400 12345", "", None),
        ("07400", "GB", None),
        ("", "GB", None),
        ("hello", "GB", None),
    ],
)
def test_numbers_that_cannot_receive_text_messages_are_refused(text: str, region: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(InvalidPhoneNumber):
            mobile_number(text, region=region)
    else:
        assert mobile_number(text, region=region) == number
