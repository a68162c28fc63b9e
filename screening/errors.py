"""Transient errors, after which a request may be retried."""

from django.db import InterfaceError, OperationalError

from ml.errors import BundleError


def is_transient(error: BaseException | None) -> bool:
    """Whether the database, the storage or the model is unavailable, so that a retry may succeed."""
    if isinstance(error, OperationalError | InterfaceError | BundleError):
        return True
    # NB: by name: importing boto3 takes a second, and sites with a local folder do not need it.
    return error is not None and type(error).__module__.startswith("botocore.")
