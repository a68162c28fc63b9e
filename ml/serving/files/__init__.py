"""Files of photographs: one check for pages, API and command line."""
