"""``manage.py export_marks``: the marks that count, in the layout of COCO, without data of patients."""

import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from screening.models import AuditEvent, EyeFinding, FundusImage, LesionMark, Review, Site, User
from tests.screening.factories import EyeFindingFactory, FundusImageFactory, MembershipFactory, ReviewFactory
from tests.screening.readings import read_eye

Export = dict[str, Any]


@pytest.fixture
def image(site: Site) -> FundusImage:
    return FundusImageFactory(exam__patient__site=site, exam__is_submitted=True, width_px=400, height_px=200)


@pytest.fixture
def finding(image: FundusImage, reviewer: User) -> EyeFinding:
    return EyeFindingFactory(review=ReviewFactory(exam=image.exam, reviewer=reviewer))


def mark(image: FundusImage, finding: EyeFinding | None = None, **changes: Any) -> LesionMark:
    number = LesionMark.objects.count() + 1
    values = {"number": number, "kind": "haemorrhages", "shape": "point", "points": [[0.5, 0.25]], **changes}
    return LesionMark.objects.create(image=image, finding=finding, author=image.uploaded_by, **values)


def export(tmp_path: Path, user: User, **options: Any) -> Export:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
    call_command("export_marks", str(path), user=user.username, stdout=StringIO(), **options)
    exported: Export = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return exported


def test_each_shape_has_fractions_and_the_pixels_of_coco(
    tmp_path: Path, manager: User, image: FundusImage, finding: EyeFinding
) -> None:
    mark(image, finding)
    mark(image, finding, shape="circle", radius=0.1, points=[[0.05, 0.5]], kind="hard_exudates")
    mark(image, finding, shape="outline", points=[[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]])
    exported = export(tmp_path, manager)
    (photo,) = exported["images"]
    assert (photo["file_name"], photo["sha256"], photo["width"]) == (image.file.name, image.sha256, 400)
    names = {one["id"]: one["name"] for one in exported["categories"]}
    point, circle, outline = exported["annotations"]
    assert {one["image_id"] for one in exported["annotations"]} == {photo["id"]}
    assert (point["bbox"], point["segmentation"], point["area"]) == ([200, 50, 0, 0], [], 0)
    assert names[circle["category_id"]] == "hard_exudates"
    assert (circle["radius"], circle["points"]) == (0.1, [[0.05, 0.5]])
    assert circle["bbox"] == [0, 60, 60, 80]  # 20 pixels of the rim are outside the photograph
    assert outline["segmentation"] == [[40, 20, 80, 20, 80, 40, 40, 40]]
    assert (outline["bbox"], outline["area"]) == ([40, 20, 40, 20], 800)
    assert {one["reader_role"] for one in exported["annotations"]} == {"reviewer"}


def test_nothing_names_a_patient_or_a_reader(
    tmp_path: Path, manager: User, reviewer: User, image: FundusImage, finding: EyeFinding
) -> None:
    User.objects.filter(pk=reviewer.pk).update(username="miller")
    mark(image, finding)
    text = json.dumps(export(tmp_path, manager))
    patient = image.exam.patient
    secrets = [patient.mrn, patient.family_name, patient.given_name, "miller", str(reviewer.pk)]
    ids = [str(image.exam_id), str(patient.pk), str(finding.review_id)]
    assert [one for one in (*secrets, *ids) if one in text] == []


def test_only_marks_that_count_are_exported(
    tmp_path: Path, manager: User, reviewer: User, image: FundusImage, finding: EyeFinding
) -> None:
    old = mark(image, finding, points=[[0.1, 0.1]])
    review: Review = finding.review
    newer = ReviewFactory(exam=image.exam, reviewer=reviewer, amends=review, amend_reason="One more")
    mark(image, EyeFindingFactory(review=newer), points=[[0.2, 0.2]])
    withdrawn = FundusImageFactory(exam=image.exam, withdrawn_at=timezone.now(), withdrawn_code="poor_quality")
    mark(withdrawn, newer.findings.get())
    other = FundusImageFactory(exam__patient__site=image.exam.site, exam__is_submitted=True)
    reading = read_eye(exam=other.exam, laterality="OD", grade=0, by=reviewer)
    mark(other, first_reading=reading, points=[[0.3, 0.3]])

    def exported(**options: Any) -> list[tuple[str, float]]:
        return [(one["reading"], one["points"][0][0]) for one in export(tmp_path, manager, **options)["annotations"]]

    assert old.points == [[0.1, 0.1]]
    assert exported() == [("amendment", 0.2)]
    assert exported(first_readings=True) == [("amendment", 0.2)]  # another reader may still have to read the exam blind
    type(other.exam).objects.filter(pk=other.exam.pk).update(status="signed")
    assert exported(first_readings=True) == [("amendment", 0.2), ("first_reading", 0.3)]
    type(image.exam).objects.update(reading_round=1)  # the exam is read again: nothing counts any more
    assert exported(first_readings=True) == []


def test_an_export_is_audited_at_each_site(
    tmp_path: Path, manager: User, site: Site, other_site: Site, image: FundusImage, finding: EyeFinding
) -> None:
    mark(image, finding)
    MembershipFactory(user=manager, site=other_site, role="manager")
    export(tmp_path, manager)
    events = AuditEvent.objects.filter(verb="marks.exported")
    assert {(one.site_id, one.actor_id, one.data["n_marks"]) for one in events} == {
        (site.pk, manager.pk, 1),
        (other_site.pk, manager.pk, 0),
    }
    export(tmp_path, manager, site=other_site.code)
    assert events.all().count() == 3


def test_only_a_manager_exports_and_only_from_own_sites(
    tmp_path: Path, reviewer: User, manager: User, other_site: Site
) -> None:
    for user, options in ((reviewer, {}), (manager, {"site": other_site.code})):
        with pytest.raises(CommandError, match="manages no such site"):
            export(tmp_path, user, **options)
    assert list(tmp_path.iterdir()) == []
    assert not AuditEvent.objects.filter(verb="marks.exported").exists()


def test_a_wrong_name_and_a_file_that_exists_are_refused(tmp_path: Path, manager: User) -> None:
    with pytest.raises(CommandError, match="no user with this name"):
        call_command("export_marks", str(tmp_path / "a.json"), user="somebody")
    (tmp_path / "a.json").write_text("kept")
    with pytest.raises(CommandError, match="exists"):
        call_command("export_marks", str(tmp_path / "a.json"), user=manager.username)
    assert (tmp_path / "a.json").read_text() == "kept"
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_marks", str(tmp_path / "missing" / "a.json"), user=manager.username)


@pytest.mark.parametrize("n", [1, 6])
def test_the_number_of_queries_does_not_depend_on_the_number_of_marks(
    tmp_path: Path, manager: User, image: FundusImage, finding: EyeFinding, n: int, django_assert_num_queries: Any
) -> None:
    for _ in range(n):
        mark(image, finding)
    with django_assert_num_queries(6):  # user, savepoint, sites, marks, audit event, release
        export(tmp_path, manager)
