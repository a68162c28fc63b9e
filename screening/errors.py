"""Transient errors, after which a request may be retried."""

import errno

from django.db import InterfaceError, InternalError, OperationalError

from ml.errors import BundleError, DecoderUnavailable

_STORAGE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR}
)
_READ_ONLY_TRANSACTION = "25006"
"""SQLSTATE of PostgreSQL, for example on a standby server."""


def is_storage_error(error: BaseException | None) -> bool:
    """Whether a file could not be written or read: the storage is full, read-only or broken."""
    return isinstance(error, OSError) and error.errno in _STORAGE_ERRNOS


def is_transient(error: BaseException | None) -> bool:
    """Whether the database, the storage, the model or every decoder is unavailable, so that a retry may succeed."""
    if isinstance(error, OperationalError | InterfaceError | BundleError | DecoderUnavailable):
        return True
    if is_storage_error(error):
        return True
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) == _READ_ONLY_TRANSACTION
    # NB: by name: importing boto3 takes a second, and sites with a local folder do not need it.
    return error is not None and type(error).__module__.startswith("botocore.")
