"""Patient."""

from screening.fhir.codes import GENDERS, Json, identifier_type
from screening.models import Patient


def patient_resource(patient: Patient) -> Json:
    """The patient with ``site``. The namespace of the medical record number is the site.

    A record that is merged into another one is not active, and links to it.
    """
    names = {"family": patient.family_name, "given": [patient.given_name] if patient.given_name else []}
    system = f"urn:uuid:{patient.site_id}"
    resource: Json = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "identifier": [{"type": identifier_type("MR"), "system": system, "value": patient.mrn}],
        "active": patient.merged_into_id is None,
        "name": [{"use": "official", **{name: value for name, value in names.items() if value}}],
        "gender": GENDERS[Patient.Sex(patient.sex)],
        "managingOrganization": {"display": patient.site.name},
    }
    contacts = {"phone": patient.phone, "email": patient.email}
    telecom = [{"system": kind, "value": value} for kind, value in contacts.items() if value]
    optional: Json = {
        "birthDate": patient.born_on,
        "telecom": telecom,
        "address": [{"text": patient.postal_address}] if patient.postal_address else [],
    }
    resource |= {name: value for name, value in optional.items() if value}
    if patient.merged_into_id is not None:
        resource["link"] = [{"other": {"reference": f"Patient/{patient.merged_into_id}"}, "type": "replaced-by"}]
    return resource
