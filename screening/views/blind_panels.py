"""The forms of both eyes on a page that never shows the model's result and keeps no draft."""

from dataclasses import dataclass

from ml.vocabulary import Laterality
from screening.forms.readings import EyeReadingForm, EyeWithoutPhotographForm
from screening.services.reviews import Finding
from screening.views.review_panel import EyeReviewForm, finding_of_form


@dataclass(frozen=True, slots=True)
class BlindPanel:
    """Both eyes with the forms of those that are read, as the templates of the reading page use them."""

    eyes: tuple[EyeReviewForm, ...]
    is_blind: bool = True

    @property
    def forms(self) -> dict[Laterality, EyeReadingForm | EyeWithoutPhotographForm]:
        return {eye.laterality: eye.form for eye in self.eyes if eye.form is not None}

    def are_valid(self) -> bool:
        """Validate every form, so that all errors are displayed at once."""
        checked = [form.is_valid() for form in self.forms.values()]
        return all(checked)

    def findings(self) -> dict[Laterality, Finding]:
        """The findings of the forms, all of which are valid."""
        return {eye: finding_of_form(eye, form) for eye, form in self.forms.items()}
