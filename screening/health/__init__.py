"""Health checks of the site and its workers."""
