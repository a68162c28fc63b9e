"""REST API, with the services, selectors and access rules of the pages."""
