"""CapabilityStatement: what the interface supports."""

from screening.api.serializers.gradings import disclaimer
from screening.fhir.bundles import COUNT, CURSOR
from screening.fhir.codes import Json

PUBLISHED_ON = "2026-11-29"
"""The day of the last change to what is supported."""
FORMATS = ["application/fhir+json", "json"]
INCLUDES = ("DiagnosticReport:result", "DiagnosticReport:subject", "DiagnosticReport:patient")
_ID, _PATIENT, _SUBJECT = ("_id", "token"), ("patient", "reference"), ("subject", "reference")
SEARCHES: dict[str, list[tuple[str, str]]] = {
    "Patient": [_ID, ("identifier", "token")],
    "ImagingStudy": [_ID, _PATIENT, _SUBJECT],
    "Observation": [_ID, _PATIENT, _SUBJECT, ("code", "token")],
    "DiagnosticReport": [_ID, _PATIENT, _SUBJECT, ("status", "token"), ("_lastUpdated", "date")],
}
"""The parameters of each type of resource. All have ``_format`` too."""
IN_PAGES = {"ImagingStudy", "Observation", "DiagnosticReport"}


def parameters_of(resource_type: str) -> set[str]:
    """The names of all parameters of a type of resource."""
    names = {name for name, _type in SEARCHES[resource_type]} | {"_format"}
    names |= {COUNT, CURSOR} if resource_type in IN_PAGES else set()
    return names | ({"_include"} if resource_type == "DiagnosticReport" else set())


def capability_statement(base: str) -> Json:
    """The statement; ``base`` is the address of the interface, with a slash."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED_ON,
        "kind": "instance",
        "software": {"name": "Diabetic retinopathy screening"},
        "implementation": {"description": disclaimer(), "url": base.removesuffix("/")},
        "fhirVersion": "4.0.1",
        "format": FORMATS,
        "rest": [
            {
                "mode": "server",
                "security": {"description": "An API key in the header Authorization: Bearer drk_..., over HTTPS."},
                "resource": [_resource(resource_type) for resource_type in SEARCHES],
            }
        ],
    }


def _resource(resource_type: str) -> Json:
    resource: Json = {
        "type": resource_type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": kind} for name, kind in SEARCHES[resource_type]],
    }
    return resource | ({"searchInclude": list(INCLUDES)} if resource_type == "DiagnosticReport" else {})
