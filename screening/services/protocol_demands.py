"""Whether the protocol of a site demands another reader, or a senior reviewer, for what readers found."""

from collections.abc import Mapping

from ml.vocabulary import Laterality
from screening.models import Exam, FirstReading, SiteProtocol
from screening.policy import ExamQuality, GradingScale
from screening.policy.protocols import Eyes, ReadEye, SamplePurpose, is_sampled, needs_second_reading
from screening.selectors.protocols import newest_protocol
from screening.services.structured_findings import Finding


def demanding_protocol(exam: Exam, findings: Mapping[Laterality, Finding]) -> SiteProtocol | None:
    """The protocol that demands another reader before these first findings are the result; None if none does.

    Counted are the findings, and all that readers stored of this round before seeing the model's result.
    """
    stored = newest_protocol(exam.site)
    if stored is None:
        return None
    protocol = stored.protocol
    is_in_sample = is_sampled(SamplePurpose.SECOND_READING, exam.pk, exam.reading_round, protocol.negative_percent)
    is_demanded = needs_second_reading(
        protocol,
        readings=[read_eyes(exam, findings), *_stored_readings(exam)],
        is_clear_negative_of_good_quality=exam.is_clear_negative and exam.quality == ExamQuality.GOOD,
        is_in_sample=is_in_sample,
    )
    return stored if is_demanded else None


def read_eyes(exam: Exam, findings: Mapping[Laterality, Finding]) -> Eyes:
    """Checked findings as ``policy`` compares them; an eye that the exam records as absent is absent."""
    return {eye: _read_eye(exam, findings.get(eye)) for eye in Laterality}


def _read_eye(exam: Exam, finding: Finding | None) -> ReadEye:
    if finding is None or finding.absent_reason:
        return ReadEye(is_absent=True, is_photographed=False, is_gradable=False)
    found = finding.structured
    return ReadEye(
        is_photographed=finding.is_photographed,
        is_gradable=finding.is_gradable and finding.is_photographed,
        grade=None if finding.grade is None else int(finding.grade),
        macular_oedema=str(finding.macular_oedema.value),
        scale=GradingScale(exam.site.scale),
        retinopathy=found.retinopathy or "",
        maculopathy=found.maculopathy or "",
        photocoagulation=found.photocoagulation or "",
    )


def _stored_readings(exam: Exam) -> list[Eyes]:
    rows = FirstReading.objects.filter(exam=exam, reading_round=exam.reading_round)
    return [
        {
            Laterality(row.laterality): ReadEye(
                is_gradable=row.is_gradable,
                grade=row.grade,
                macular_oedema=row.macular_oedema,
                scale=GradingScale(exam.site.scale),
                retinopathy=row.retinopathy,
                maculopathy=row.maculopathy,
            )
        }
        for row in rows
    ]
