"""Built-in outcome tables, which a site uses until it stores its own, each rule with its source.

Version 1 has the rules from before tables were data: reviews that were signed then name it. Version 2 adds pregnancy.
"""

from dataclasses import replace

from screening.policy.outcome_tables import OBSERVABLE_MACULA, Outcome, OutcomeRule, OutcomeTable, Urgency
from screening.policy.scales import GradingScale

FIRST_VERSION, CURRENT_VERSION = 1, 2
ADA = "ADA position statement 2017 (Solomon et al., Diabetes Care), table 4"
"""Without retinopathy every 1 to 2 years; mild every year; moderate referred within 3 to 6 months, every 6 to 9;
severe referred immediately, every 3 to 6; proliferative immediately, every 3; oedema not in the centre within 3 to 6,
every 6; in the centre immediately, every 1 to 4. The table has the shortest of these. The ICO Guidelines for Diabetic
Eye Care, as listed by Retina International, examine some again sooner (proliferative: under 1 month; oedema not in the
centre: 3 months): the interval here is that of the next photographs, if the person is still screened after the
referral."""
NHS_OUTCOMES = "NHS England, Features-based grading outcomes guidance, 12 May 2025"
NHS_PATHWAY = "NHS England, Diabetic eye screening care pathway, 2 October 2023, step 10"
SCOTLAND = "Scottish Diabetic Retinopathy Grading Scheme 2007, v1.1"
_OWN_MONTHS = "the months: default of this project without a source, as for ICDR"
"""These programmes refer and do not state when a referred person is photographed again. A site can change the months of
every rule in its outcome table, within ``outcome_limits``."""
NHS_REFERRED, SCOTLAND_REFERRED = f"{NHS_OUTCOMES}; {_OWN_MONTHS}", f"{SCOTLAND}; {_OWN_MONTHS}"
NHS_LOW_RISK = (
    "NHS England, Diabetic eye screening intervals extended for people at lowest risk, 6 October 2023: every 2 years "
    "if the last 2 routine screens found no signs of diabetic retinopathy; here in both eyes, and without maculopathy"
)
ADA_PREGNANCY = (
    "ADA position statement 2017: in the first trimester, and then every trimester; NICE guideline NG3: after the "
    "first antenatal visit, at 28 weeks, and at 16 to 20 weeks if there is retinopathy"
)
"""NB: the text of NG3 was not available for comparison; pages of two trusts of the NHS for patients (York, North
Middlesex) have the same weeks. The ADA was read in summaries, which add "for 1 year after the birth, as the degree of
retinopathy demands": that is not a rule here."""
NEGATIVE_MONTHS = 24
"""Months after two negative screens in a row, in the table of the NHS. Source: NHS England, Diabetic eye
screening intervals extended for people at lowest risk, 6 October 2023. A site can change it in its outcome table."""
PREGNANCY_MONTHS = 3
"""Longest interval in pregnancy, in months. Source: ADA position statement 2017 (every trimester), read in
summaries. A site can change it in its outcome table."""


def _rule(condition: str, outcome: Outcome, urgency: Urgency, months: int, source: str) -> OutcomeRule:
    is_macula = condition.startswith("oedema_") or condition == OBSERVABLE_MACULA
    codes = {"macula": condition} if is_macula else {"grade": condition}
    return OutcomeRule(**codes, outcome=outcome, urgency=urgency, months=months, source=source)


_RESCREEN, _REFER = (Outcome.RESCREEN, Urgency.ROUTINE), (Outcome.REFER, Urgency.SOON)
_URGENT = (Outcome.REFER_URGENT, Urgency.IMMEDIATE)
_SUSPICION_SOURCES = {
    GradingScale.ICDR: f"{ADA} (as oedema not in the centre: of this project)",
    GradingScale.ENGLAND: NHS_REFERRED,  # M1
    GradingScale.SCOTLAND: SCOTLAND_REFERRED,  # M2
}


def _oedema_rules(scale: GradingScale) -> tuple[OutcomeRule, ...]:
    return (
        _rule("oedema_suspected", *_REFER, 6, _SUSPICION_SOURCES[scale]),
        _rule("oedema_not_centre", *_REFER, 6, ADA),
        _rule("oedema_centre", *_URGENT, 1, ADA),
    )


_GRADES = {
    GradingScale.ICDR: (
        _rule("grade_0", *_RESCREEN, 12, ADA),
        _rule("grade_1", *_RESCREEN, 12, ADA),
        _rule("grade_2", *_REFER, 6, ADA),
        _rule("grade_3", *_URGENT, 3, ADA),
        _rule("grade_4", *_URGENT, 3, ADA),
    ),
    GradingScale.ENGLAND: (
        _rule("scale_R0", *_RESCREEN, 12, NHS_PATHWAY),
        _rule("scale_R1", *_RESCREEN, 12, NHS_PATHWAY),
        _rule("scale_R2L", *_REFER, 6, NHS_REFERRED),
        _rule("scale_R2H", *_REFER, 6, NHS_REFERRED),
        _rule("scale_R3A", *_URGENT, 3, NHS_REFERRED),
        _rule("scale_R3S", *_REFER, 6, NHS_REFERRED),
    ),
    GradingScale.SCOTLAND: (
        _rule("scale_R0", *_RESCREEN, 12, SCOTLAND),
        _rule("scale_R1", *_RESCREEN, 12, SCOTLAND),
        _rule("scale_R2", *_RESCREEN, 6, SCOTLAND),
        _rule("scale_R3", *_REFER, 6, SCOTLAND_REFERRED),
        _rule("scale_R4", *_URGENT, 3, SCOTLAND_REFERRED),
        _rule(OBSERVABLE_MACULA, *_RESCREEN, 6, SCOTLAND),
    ),
}
_TABLES = {
    FIRST_VERSION: {
        scale: OutcomeTable(scale=scale, rules=(*rules, *_oedema_rules(scale))) for scale, rules in _GRADES.items()
    }
}
_TABLES[CURRENT_VERSION] = {
    scale: replace(table, pregnancy_months=PREGNANCY_MONTHS) for scale, table in _TABLES[FIRST_VERSION].items()
}


def default_table(scale: GradingScale, version: int = CURRENT_VERSION) -> OutcomeTable:
    """The built-in table of a scale: intervals of ICO and ADA, and those of the scale's own programme."""
    return _TABLES[version][scale]


def nhs_table(scale: GradingScale) -> OutcomeTable:
    """The built-in table with the longer interval of the NHS after two negative screens."""
    return replace(default_table(scale), negative_months=NEGATIVE_MONTHS)


def source_of(scale: GradingScale, code: str) -> str:
    """The source of the default rule with this code; empty if the built-in table has no such rule."""
    return next((rule.source for rule in default_table(scale).rules if rule.code == code), "")
