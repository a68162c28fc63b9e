"""Settings of a site that its managers change, in groups: one page, one history and one conflict check each."""

from enum import StrEnum


class SettingsGroup(StrEnum):
    """What a page of settings is about."""

    GENERAL = "general"
    """Name, time zone and languages."""
    CAPTURE = "capture"
    """What is photographed and asked at a visit."""
    READING = "reading"
    """Reading mode and grading scale."""
    OUTSIDE_READERS = "outside-readers"
    READING_TIMES = "reading-times"
    """Hours until exams should be read, by urgency."""
    REFERRAL_TIMES = "referral-times"
    RECALL = "recall"
    """Days of call and recall."""
    MESSAGES = "messages"


SETTINGS: dict[SettingsGroup, tuple[str, ...]] = {
    SettingsGroup.GENERAL: ("name", "timezone", "message_language", "phone_region"),
    SettingsGroup.CAPTURE: ("requires_macula", "requires_optic_disc", "required_facts"),
    SettingsGroup.READING: ("reading_mode", "photographers_see_grades", "scale"),
    SettingsGroup.OUTSIDE_READERS: ("hides_identity",),
    SettingsGroup.READING_TIMES: (
        "reading_target_routine_h",
        "reading_target_soon_h",
        "reading_target_immediate_h",
    ),
    SettingsGroup.REFERRAL_TIMES: (
        "referral_sent_soon_days",
        "referral_seen_soon_days",
        "referral_sent_immediate_days",
        "referral_seen_immediate_days",
        "referral_result_days",
    ),
    SettingsGroup.RECALL: (
        "invite_before_days",
        "overdue_after_days",
        "reminder_after_days",
        "second_try_after_days",
        "phone_after_days",
        "lost_after_days",
        "lost_after_months",
    ),
    SettingsGroup.MESSAGES: (
        "message_mode",
        "message_sender",
        "message_phone",
        "messages_need_consent",
        "quiet_from_h",
        "quiet_until_h",
    ),
}
"""The settings of each group, by the name of their column."""
FREE_TEXTS = frozenset({"name", "message_sender", "message_phone"})
"""Settings that a person types: the audit trail has codes and numbers only."""
