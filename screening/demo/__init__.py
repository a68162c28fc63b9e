"""A whole clinic in one process, to look at: ``make demo``. Nothing here runs in a real installation."""
