"""S3-compatible storage of photographs: private, streamed, with short timeouts."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

MAX_MEMORY_BYTES = 1024 * 1024
"""Objects that are larger are read into a temporary file and not into memory."""
CHUNK_BYTES = 8 * 1024 * 1024
_CLIENT = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"max_attempts": 3, "mode": "standard"},
    signature_version="s3v4",
    s3={"addressing_style": "path"},  # private servers seldom have a host name for each bucket
    request_checksum_calculation="when_required",  # older servers refuse the newer check sums
    response_checksum_validation="when_required",
)


class PhotographStorage(S3Storage):  # type: ignore[misc]  # the package has no types
    """A private bucket whose objects are never overwritten."""

    def get_default_settings(self) -> dict[str, Any]:
        """Defaults of the options in ``settings.STORAGES``."""
        return {
            **super().get_default_settings(),
            "client_config": _CLIENT,
            # Without threads: several chunks at once would hold the whole photograph in memory.
            "transfer_config": TransferConfig(
                multipart_threshold=CHUNK_BYTES, multipart_chunksize=CHUNK_BYTES, use_threads=False
            ),
            "max_memory_size": MAX_MEMORY_BYTES,
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        }

    def ping(self) -> str:
        """Request the bucket. Raises OSError with the error code only: the message of a server may hold secrets."""
        try:
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise OSError(f"the bucket {self.bucket_name} cannot be used ({code})") from error
        return f"bucket {self.bucket_name}"
