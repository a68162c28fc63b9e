"""Photographs in S3-compatible storage: streamed in parts, and given up on soon when it does not answer."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

SPOOLED_BYTES = 1024 * 1024
"""What is read of an object beyond this lies in a temporary file and not in memory."""
PART_BYTES = 8 * 1024 * 1024
_CLIENT = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"max_attempts": 3, "mode": "standard"},
    signature_version="s3v4",
    s3={"addressing_style": "path"},  # servers of one's own seldom have a name for each bucket
    request_checksum_calculation="when_required",  # older servers refuse the newer check sums
    response_checksum_validation="when_required",
)


class PhotographStorage(S3Storage):  # type: ignore[misc]  # the package has no types
    """A private bucket. Objects are never replaced, and have no address that is handed out."""

    def get_default_settings(self) -> dict[str, Any]:
        """What the options in ``settings.STORAGES`` do not say."""
        return {
            **super().get_default_settings(),
            "client_config": _CLIENT,
            # One part after the other: several at once would hold the whole photograph again.
            "transfer_config": TransferConfig(
                multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
            ),
            "max_memory_size": SPOOLED_BYTES,
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        }

    def ping(self) -> str:
        """Ask for the bucket. Raises OSError naming what went wrong, without the server's own words."""
        try:
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise OSError(f"the bucket {self.bucket_name} cannot be used ({code})") from error
        return f"bucket {self.bucket_name}"
