"""A re-grading of a site, for tests of access."""

import datetime

from screening.models import RegradedImage, Regrading, Site
from tests.builders import FAKE_VERSION
from tests.screening.factories import GradingFactory, UserFactory


def regrading_of(site: Site, *, state: str = "running") -> Regrading:
    """One of a single photograph, which waits."""
    row = Regrading.objects.create(
        site=site,
        model="accurate",
        model_version=FAKE_VERSION,
        from_on=datetime.date(2026, 1, 1),
        to_on=datetime.date(2026, 1, 31),
        state=state,
        n_images=1,
        reason="a newer model",
        created_by=UserFactory(),
    )
    image = GradingFactory(image__exam__patient__site=site, is_done=True, model_version="older-1").image
    RegradedImage.objects.create(regrading=row, image=image)
    return row
