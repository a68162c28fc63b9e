"""Two models grade: the site chooses, both results are kept, and one rule says which is current."""

from typing import Any

import pytest

from ml.vocabulary import ServedModel
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.selectors import count_attempts, get_exam, get_image_record
from screening.services.gradings import grade_image, queue_grading, retry_grading, run_grading
from screening.services.worklist import update_orders_of_site
from tests.builders import FakeGrader, make_prediction
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

ACCURATE, FAST = ServedModel
Status = Grading.Status
Graders = dict[ServedModel, FakeGrader]


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site, is_submitted=True, left_eye_absent_reason="prosthesis")


@pytest.fixture
def image(exam: Exam) -> FundusImage:
    return FundusImageFactory(exam=exam)


def choose(site: Site, model: ServedModel) -> None:
    Site.objects.filter(pk=site.pk).update(model=model)
    site.refresh_from_db()


def run(grading: Grading) -> Grading:
    run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    return grading


def graded_by(image: FundusImage, model: ServedModel | None, by: User) -> Grading:
    return run(grade_image(image=FundusImage.objects.get(pk=image.pk), model=model, by=by))


def current_models(image: FundusImage, reviewer: User) -> set[str]:
    """The model of the current grading on page and API; the worklist has its grade."""
    detail = get_exam(user=reviewer, exam_id=image.exam_id)
    on_page = detail.right.images[0].grading
    in_api = next(iter(get_image_record(user=reviewer, image_id=image.pk).gradings.all()))
    assert on_page is not None
    image.exam.refresh_from_db()
    assert image.exam.worst_grade == on_page.grade == in_api.grade
    return {on_page.model, in_api.model}


@pytest.mark.parametrize(("chosen", "grade"), [(ACCURATE, 2), (FAST, 0)])
def test_the_model_of_the_site_grades(
    image: FundusImage, site: Site, photographer: User, graders: Graders, chosen: ServedModel, grade: int
) -> None:
    choose(site, chosen)
    grading = run(queue_grading(image=FundusImage.objects.get(pk=image.pk), by=photographer))
    assert (grading.model, grading.model_version, grading.grade) == (chosen, f"{chosen}-1.0.0+00000000", grade)
    other = FAST if chosen is ACCURATE else ACCURATE
    assert graders[other].photos == []


def test_a_new_site_has_the_accurate_model() -> None:
    assert Site().served_model is ACCURATE


def test_both_gradings_are_kept_and_that_of_the_model_of_the_site_is_current(
    image: FundusImage, site: Site, reviewer: User, graders: Graders
) -> None:
    graded_by(image, FAST, reviewer)
    assert current_models(image, reviewer) == {"fast"}, "the only one"
    graded_by(image, None, reviewer)
    assert current_models(image, reviewer) == {"accurate"}, "the model of the site"
    graders[FAST].bundle = graders[FAST].bundle.__class__(model_version="fast-2.0.0+11111111")
    graded_by(image, FAST, reviewer)
    assert current_models(image, reviewer) == {"accurate"}, "a newer one by the other model does not count"
    assert sorted(image.gradings.values_list("model", "grade")) == [("accurate", 2), ("fast", 0), ("fast", 0)]
    choose(site, FAST)
    update_orders_of_site(site)
    assert current_models(image, reviewer) == {"fast"}


def test_a_newer_version_of_the_same_model_is_current(image: FundusImage, reviewer: User, graders: Graders) -> None:
    graded_by(image, None, reviewer)
    graders[ACCURATE].bundle = graders[ACCURATE].bundle.__class__(model_version="accurate-2.0.0+11111111")
    graders[ACCURATE].prediction = make_prediction(4)
    graded_by(image, None, reviewer)
    image.exam.refresh_from_db()
    assert (image.exam.worst_grade, image.gradings.count()) == (4, 2)


def test_an_attempt_counts_by_the_current_grading(exam: Exam, site: Site) -> None:
    image = FundusImageFactory(exam=exam)
    GradingFactory(image=image, is_ungradable=True, model="accurate")
    GradingFactory(image=image, is_done=True, model="fast", model_version="fast-1")
    assert list(count_attempts(exam).values()) == [1, 0]
    choose(site, FAST)
    assert list(count_attempts(exam).values()) == [0, 0]


def test_grading_again_returns_what_exists_and_repeats_what_failed(
    image: FundusImage, reviewer: User, graders: Graders
) -> None:
    graders[FAST].error = ValueError("no")
    failed = graded_by(image, FAST, reviewer)
    assert failed.status == Status.FAILED
    graders[FAST].error = None
    done = graded_by(image, FAST, reviewer)
    assert (done.pk, done.status) == (failed.pk, Status.DONE)
    assert grade_image(image=image, model=FAST, by=reviewer).pk == done.pk
    assert image.gradings.count() == 1


def test_another_site_does_not_grade_it(image: FundusImage, outsider: User, graders: Graders) -> None:
    with pytest.raises(AccessDenied):
        grade_image(image=image, model=FAST, by=outsider)
    assert not image.gradings.exists()


def test_an_installation_with_the_fast_model_alone_never_loads_the_accurate_one(
    image: FundusImage, photographer: User, reviewer: User, graders: Graders, settings: Any
) -> None:
    done_before = graded_by(image, ACCURATE, reviewer)
    settings.GRADING_MODELS = (FAST,)
    del graders[ACCURATE]
    assert graded_by(image, None, photographer).model == "fast"
    assert current_models(image, reviewer) == {"fast"}
    assert done_before in image.gradings.all()


@pytest.mark.parametrize("is_failed", [True, False])
def test_what_waited_for_a_model_that_was_removed_is_graded_by_the_other(
    image: FundusImage, reviewer: User, graders: Graders, settings: Any, *, is_failed: bool
) -> None:
    waiting = GradingFactory(image=image, is_failed=is_failed)
    settings.GRADING_MODELS = (FAST,)
    del graders[ACCURATE]
    if is_failed:
        newer = retry_grading(grading=waiting, by=reviewer)
    else:
        assert (run(waiting).status, waiting.failure_code) == (Status.FAILED, "model_changed")
        newer = image.gradings.get(model="fast")
    assert run(newer).status == Status.DONE
    assert current_models(image, reviewer) == {"fast"}


def test_the_audit_trail_has_the_model(image: FundusImage, reviewer: User, graders: Graders) -> None:
    graded_by(image, FAST, reviewer)
    events = AuditEvent.objects.filter(verb__in=[AuditEvent.Verb.GRADING_QUEUED, AuditEvent.Verb.GRADING_DONE])
    assert {event.data["model_version"] for event in events} == {"fast-1.0.0+00000000"}
