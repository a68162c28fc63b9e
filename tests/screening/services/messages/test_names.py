"""The names of a site and of its sender have no clinical word in a message: others may read it."""

import pytest
from django.core.exceptions import ValidationError

from screening.models import Site
from screening.policy.messages import MessageChannel, MessageKind
from screening.services.message_texts import example_text
from tests.screening.message_fixtures import switch_on

pytestmark = pytest.mark.django_db


def test_a_sender_with_a_clinical_word_is_refused(site: Site) -> None:
    with pytest.raises(ValidationError, match="without clinical words"):
        switch_on(site, message_sender="Diabetic Retinopathy Clinic")


def test_the_sender_stands_for_a_site_whose_name_has_a_clinical_word(site: Site) -> None:
    switch_on(site, name="Diabetic Retinopathy Clinic")
    text = example_text(site, MessageKind.INVITATION, MessageChannel.EMAIL, "en", ("{site}", "At {site}."))
    assert (text.subject, text.body) == ("Harbour Clinic", "At Harbour Clinic.")
    switch_on(site, name="North Practice")
    assert (
        example_text(site, MessageKind.INVITATION, MessageChannel.EMAIL, "en", ("", "{site}")).body == "North Practice"
    )
