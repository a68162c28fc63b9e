"""The REST API for other programs: the same services, selectors and access rules as the pages."""
