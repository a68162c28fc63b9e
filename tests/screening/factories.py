"""Factories of rows. They bypass the services, except for the order of the worklist and search terms."""

import datetime
import hashlib
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol, TypeVar, cast

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory, Password

from ml.vocabulary import Laterality, QualityLevel, ServedModel
from screening.models import (
    Booking,
    DataImport,
    Exam,
    EyeFinding,
    FundusImage,
    Grading,
    Heatmap,
    Membership,
    Patient,
    Referral,
    Review,
    Site,
    SiteThreshold,
    User,
    VisualAcuity,
)
from screening.models.heatmaps import encode_heatmap
from screening.policy import MacularOedema, Outcome, Urgency
from screening.policy.default_outcomes import CURRENT_VERSION
from screening.services.patients import store_search_terms
from screening.services.worklist import update_worklist_order
from tests.builders import FAKE_VERSION, OEDEMA_HEATMAP

M_co = TypeVar("M_co", bound=Model, covariant=True)


class Factory(Protocol[M_co]):
    """Type of a factory: a call returns a stored row. (The type of its class is an instance of the factory.)"""

    def __call__(self, **values: Any) -> M_co: ...

    def create_batch(self, size: int, **values: Any) -> Iterable[M_co]: ...


class _UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = Sequence(lambda n: f"user{n}")

    password = Password("correct horse battery")


class _SiteFactory(DjangoModelFactory[Site]):
    class Meta:
        model = Site

    name = Sequence(lambda n: f"Clinic {n}")
    code = Sequence(lambda n: f"clinic-{n}")


class _DataImportFactory(DjangoModelFactory[DataImport]):
    class Meta:
        model = DataImport

    site = SubFactory(_SiteFactory)
    kind = "people"
    owner = SubFactory(_UserFactory)
    n_bytes = 10
    expires_at = LazyFunction(lambda: timezone.now() + datetime.timedelta(days=1))


class _MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = SubFactory(_UserFactory)
    site = SubFactory(_SiteFactory)
    role = Membership.Role.PHOTOGRAPHER


class _SiteThresholdFactory(DjangoModelFactory[SiteThreshold]):
    class Meta:
        model = SiteThreshold

    site = SubFactory(_SiteFactory)
    model_version = FAKE_VERSION
    origin = SiteThreshold.Origin.TABLE
    operating_point = 0.3
    created_by = SubFactory(_UserFactory)


class _PatientFactory(DjangoModelFactory[Patient]):
    class Meta:
        model = Patient

    site = SubFactory(_SiteFactory)
    mrn = Sequence(lambda n: f"MRN{n:05d}")
    given_name = "Ada"
    family_name = "Byron"
    born_on = "1960-05-17"
    sex = Patient.Sex.FEMALE
    diabetes_type = Patient.DiabetesType.TYPE_2

    @classmethod
    def _create(cls, model_class: type[Patient], *args: Any, **kwargs: Any) -> Patient:
        """Store the terms of the names too, as the services do."""
        patient: Patient = super()._create(model_class, *args, **kwargs)  # type: ignore[no-untyped-call]  # no types
        store_search_terms(patient)
        return patient


class _BookingFactory(DjangoModelFactory[Booking]):
    class Meta:
        model = Booking

    patient = SubFactory(_PatientFactory)
    site = SelfAttribute("patient.site")
    day = LazyFunction(timezone.localdate)


class _ExamFactory(DjangoModelFactory[Exam]):
    class Meta:
        model = Exam

    class Params:
        is_submitted = Trait(
            status=Exam.Status.SUBMITTED,
            submitted_at=LazyFunction(timezone.now),
            due_at=LazyAttribute(lambda row: row.submitted_at + row.site.reading_target(row.reading_urgency)),
        )

    patient = SubFactory(_PatientFactory)
    site = SelfAttribute("patient.site")
    reading_urgency = Urgency.ROUTINE.value
    opened_by = SubFactory(_UserFactory)


class _FundusImageFactory(DjangoModelFactory[FundusImage]):
    class Meta:
        model = FundusImage

    exam = SubFactory(_ExamFactory)
    laterality = Laterality.RIGHT
    sha256 = LazyFunction(lambda: hashlib.sha256(uuid.uuid4().bytes).hexdigest())
    file = LazyFunction(lambda: ContentFile(b"photograph", name="photo.jpg"))
    format = FundusImage.Format.JPEG
    width_px = 120
    height_px = 90
    n_bytes = 10
    uploaded_by = SubFactory(_UserFactory)


class _GradingFactory(DjangoModelFactory[Grading]):
    """A queued grading; ``is_done=True``: done with ``grade``; ``is_ungradable=True``: done without."""

    class Meta:
        model = Grading

    class Params:
        is_done = Trait(
            status=Grading.Status.DONE,
            is_gradable=True,
            quality_level=QualityLevel.GOOD,
            p_gradable=0.98,
            grade=2,
            probabilities=LazyAttribute(lambda row: [0.8 if g == row.grade else 0.05 for g in range(5)]),
            p_referable=LazyAttribute(lambda row: 0.9 if row.grade >= 2 else 0.1),
            is_referable=LazyAttribute(lambda row: row.grade >= 2),
            operating_point=0.5,
            heatmap=[[0.0, 0.5], [1.0, 0.25]],
        )
        is_ungradable = Trait(
            status=Grading.Status.DONE,
            is_gradable=False,
            quality_level=QualityLevel.UNGRADABLE,
            p_gradable=0.1,
            quality_reasons=["blurred"],
        )
        is_failed = Trait(
            status=Grading.Status.FAILED,
            n_attempts=1,
            failure_code=Grading.FailureCode.UNEXPECTED,
        )

    image = SubFactory(_FundusImageFactory)
    model = ServedModel.ACCURATE.value
    model_version = FAKE_VERSION
    queued_at = LazyFunction(timezone.now)
    queue_site = SelfAttribute("image.exam.site")
    published_at = LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: type[Grading], *args: Any, **kwargs: Any) -> Grading:
        """Store the heatmaps and order the worklist too, as the services do."""
        heatmap = kwargs.pop("heatmap", None)
        with transaction.atomic():
            grading: Grading = super()._create(model_class, *args, **kwargs)  # type: ignore[no-untyped-call]  # no types
            if heatmap is not None:
                oedema = None if grading.p_macular_oedema is None else OEDEMA_HEATMAP
                store_heatmap(grading, heatmap, oedema)
            update_worklist_order(grading.image.exam)
        return grading


def store_heatmap(grading: Grading, of_grade: Any, of_oedema: Any) -> None:
    """Store the heatmaps of a grading."""
    oedema = None if of_oedema is None else encode_heatmap(of_oedema)
    Heatmap.objects.create(
        grading=grading, of_grade=encode_heatmap(of_grade), of_oedema=oedema, box=[0.1, 0.0, 0.9, 1.0]
    )


class _ReviewFactory(DjangoModelFactory[Review]):
    class Meta:
        model = Review

    exam = SubFactory(_ExamFactory, is_submitted=True)
    site = SelfAttribute("exam.site")
    reviewer = SubFactory(_UserFactory)
    signed_at = LazyFunction(timezone.now)
    outcome = Outcome.RESCREEN
    urgency = Urgency.ROUTINE
    built_in_version = CURRENT_VERSION


class _EyeFindingFactory(DjangoModelFactory[EyeFinding]):
    class Meta:
        model = EyeFinding

    review = SubFactory(_ReviewFactory)
    laterality = Laterality.RIGHT
    is_gradable = True
    grade = 0
    macular_oedema = MacularOedema.NONE


class _ReferralFactory(DjangoModelFactory[Referral]):
    """A referral that is not sent yet, of a signed exam."""

    class Meta:
        model = Referral

    exam = SubFactory(_ExamFactory, is_submitted=True, status=Exam.Status.SIGNED)
    review = SubFactory(
        _ReviewFactory,
        exam=SelfAttribute("..exam"),
        outcome=SelfAttribute("..outcome"),
        urgency=SelfAttribute("..urgency"),
    )
    site = SelfAttribute("exam.site")
    outcome = Outcome.REFER.value
    urgency = Urgency.SOON.value
    made_on = LazyFunction(timezone.localdate)
    send_by = LazyAttribute(lambda row: row.made_on + datetime.timedelta(days=21))
    see_by = LazyAttribute(lambda row: row.made_on + datetime.timedelta(days=91))
    due_on = LazyAttribute(lambda row: row.send_by)


class _VisualAcuityFactory(DjangoModelFactory[VisualAcuity]):
    class Meta:
        model = VisualAcuity

    exam = SubFactory(_ExamFactory)
    laterality = Laterality.RIGHT
    entered = "6/12"
    logmar = Decimal("0.30")
    recorded_by = SubFactory(_UserFactory)


UserFactory = cast("Factory[User]", _UserFactory)
SiteFactory = cast("Factory[Site]", _SiteFactory)
SiteThresholdFactory = cast("Factory[SiteThreshold]", _SiteThresholdFactory)
BookingFactory = cast("Factory[Booking]", _BookingFactory)
DataImportFactory = cast("Factory[DataImport]", _DataImportFactory)
MembershipFactory = cast("Factory[Membership]", _MembershipFactory)
PatientFactory = cast("Factory[Patient]", _PatientFactory)
ExamFactory = cast("Factory[Exam]", _ExamFactory)
FundusImageFactory = cast("Factory[FundusImage]", _FundusImageFactory)
GradingFactory = cast("Factory[Grading]", _GradingFactory)
ReviewFactory = cast("Factory[Review]", _ReviewFactory)
ReferralFactory = cast("Factory[Referral]", _ReferralFactory)
EyeFindingFactory = cast("Factory[EyeFinding]", _EyeFindingFactory)
VisualAcuityFactory = cast("Factory[VisualAcuity]", _VisualAcuityFactory)
