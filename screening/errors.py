"""Errors that may pass when a request is tried again."""

from django.db import InterfaceError, OperationalError


def is_transient(error: BaseException | None) -> bool:
    """Whether trying again may help: database or storage do not answer now."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    # NB: by name, as loading boto3 takes a second that sites with a local folder need not spend.
    return error is not None and type(error).__module__.startswith("botocore.")
