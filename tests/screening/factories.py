"""Rows for tests. They bypass the services: use a service where the test is about one."""

import datetime
import hashlib
import uuid
from typing import Any

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from factory.django import DjangoModelFactory

from screening.models import Exam, EyeFinding, FundusImage, Grading, Membership, Patient, Review, Site, User

FACTORY_MODEL_VERSION = "fake-1.0.0+00000000"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")

    @factory.post_generation
    def password(self: Any, create: bool, given: str | None, **_kwargs: Any) -> None:
        self.set_password(given or "correct horse battery")
        if create:
            self.save()


class SiteFactory(DjangoModelFactory[Site]):
    class Meta:
        model = Site

    name = factory.Sequence(lambda n: f"Clinic {n}")
    code = factory.Sequence(lambda n: f"clinic-{n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    site = factory.SubFactory(SiteFactory)
    role = Membership.Role.PHOTOGRAPHER


class PatientFactory(DjangoModelFactory[Patient]):
    class Meta:
        model = Patient

    site = factory.SubFactory(SiteFactory)
    mrn = factory.Sequence(lambda n: f"MRN{n:05d}")
    given_name = "Ada"
    family_name = "Byron"
    born_on = datetime.date(1960, 5, 17)
    sex = Patient.Sex.FEMALE
    diabetes_type = Patient.DiabetesType.TYPE_2


class ExamFactory(DjangoModelFactory[Exam]):
    class Meta:
        model = Exam

    class Params:
        is_submitted = factory.Trait(status=Exam.Status.SUBMITTED, submitted_at=factory.LazyFunction(timezone.now))

    patient = factory.SubFactory(PatientFactory)
    site = factory.SelfAttribute("patient.site")
    opened_by = factory.SubFactory(UserFactory)


class FundusImageFactory(DjangoModelFactory[FundusImage]):
    class Meta:
        model = FundusImage

    exam = factory.SubFactory(ExamFactory)
    laterality = FundusImage.Laterality.RIGHT
    sha256 = factory.LazyFunction(lambda: hashlib.sha256(uuid.uuid4().bytes).hexdigest())
    file = factory.LazyFunction(lambda: ContentFile(b"photograph", name="photo.jpg"))
    format = FundusImage.Format.JPEG
    width_px = 120
    height_px = 90
    n_bytes = 10
    uploaded_by = factory.SubFactory(UserFactory)


class GradingFactory(DjangoModelFactory[Grading]):
    """A grading that waits; ``is_done=True`` finishes it with ``grade``, ``is_ungradable=True`` refuses it."""

    class Meta:
        model = Grading

    class Params:
        is_done = factory.Trait(
            status=Grading.Status.DONE,
            is_gradable=True,
            p_gradable=0.98,
            grade=2,
            probabilities=factory.LazyAttribute(lambda row: [0.8 if g == row.grade else 0.05 for g in range(5)]),
            p_referable=factory.LazyAttribute(lambda row: 0.9 if row.grade >= 2 else 0.1),
            is_referable=factory.LazyAttribute(lambda row: row.grade >= 2),
            operating_point=0.5,
            heatmap=[[0.0, 0.5], [1.0, 0.25]],
            heatmap_box=[0.1, 0.0, 0.9, 1.0],
        )
        is_ungradable = factory.Trait(
            status=Grading.Status.DONE, is_gradable=False, p_gradable=0.1, quality_reasons=["blurred"]
        )
        is_failed = factory.Trait(
            status=Grading.Status.FAILED,
            n_attempts=1,
            failure_code=Grading.FailureCode.UNEXPECTED,
            failure_text="Grading failed unexpectedly.",
        )

    image = factory.SubFactory(FundusImageFactory)
    model_version = FACTORY_MODEL_VERSION
    queued_at = factory.LazyFunction(timezone.now)


class ReviewFactory(DjangoModelFactory[Review]):
    class Meta:
        model = Review

    exam = factory.SubFactory(ExamFactory, is_submitted=True)
    reviewer = factory.SubFactory(UserFactory)
    signed_at = factory.LazyFunction(timezone.now)
    outcome = Review.Outcome.RESCREEN
    urgency = Review.Urgency.ROUTINE


class EyeFindingFactory(DjangoModelFactory[EyeFinding]):
    class Meta:
        model = EyeFinding

    review = factory.SubFactory(ReviewFactory)
    laterality = FundusImage.Laterality.RIGHT
    is_gradable = True
    grade = 0
    macular_oedema = EyeFinding.MacularOedema.NONE
