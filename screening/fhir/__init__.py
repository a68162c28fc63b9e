"""The FHIR R4 interface: patients, photographs and results, read-only. It translates, and decides nothing."""
