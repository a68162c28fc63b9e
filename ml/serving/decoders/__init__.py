"""Child processes that decode files of unknown origin under limits of memory and time."""
