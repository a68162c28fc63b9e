"""The whole picture, before its retina is cropped: surroundings, field of view, what else it shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.serving.field_of_view import Survey, reduced, survey_fov
from ml.serving.layout import border_reason, layout_reason
from ml.serving.surroundings import blackened, light_surroundings
from ml.serving.writing import has_writing
from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """An upright RGB image with black surroundings, and what is known about it.

    ``survey`` is None if there is no field of view; ``reason`` says why it is not one photograph of one retina.
    ``small`` (h, w, 3) is the reduced copy of the picture as it came, ``surroundings`` (h, w) the mask of light ones.
    """

    image: Image.Image
    small: "NDArray[np.uint8]"
    surroundings: "NDArray[np.bool_] | None"
    survey: Survey | None
    reason: QualityReason | None = None
    has_writing: bool = False

    def with_black_surroundings(self, image: Image.Image) -> Image.Image:
        """The same picture at another scale, its surroundings black."""
        return image if self.surroundings is None else blackened(image, self.small, self.surroundings)


def inspect_photo(image: Image.Image) -> Inspection:
    """Inspect an upright RGB image."""
    small = reduced(image)
    surroundings = light_surroundings(small)
    if surroundings is None:
        survey = survey_fov(image, small)
    else:
        image = blackened(image, small, surroundings)
        survey = survey_fov(image, reduced(image))
    if survey is None:
        return Inspection(image=image, small=small, surroundings=surroundings, survey=None)
    reason = layout_reason(survey)
    if reason is None and surroundings is not None:
        reason = border_reason(small, surroundings, survey)
    is_one_picture = reason in {None, QualityReason.NOT_A_PHOTOGRAPH}
    is_written = is_one_picture and has_writing(survey, surroundings=surroundings, original=small)
    return Inspection(
        image=image, small=small, surroundings=surroundings, survey=survey, reason=reason, has_writing=is_written
    )
