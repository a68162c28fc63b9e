"""Resources as JSON."""

from rest_framework.renderers import JSONRenderer


class FhirRenderer(JSONRenderer):
    """The media type of FHIR's JSON."""

    media_type = "application/fhir+json"
    format = "fhir"
    charset = "utf-8"


class PlainRenderer(JSONRenderer):
    """For clients that accept ``application/json`` only."""

    charset = "utf-8"
