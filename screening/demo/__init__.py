"""Demo clinic in one process: ``make demo``. An installation uses none of it."""
