"""Signatures of bundles: Ed25519 (RFC 8032) over bundle.json, which has the hashes of graph and weights.

``bundle.json.sig`` holds the signature in Base64; a public key is the Base64 of its 32 bytes.
"""

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ml.errors import BundleError, InputError

SIGNATURE_FILE = "bundle.json.sig"
N_KEY_BYTES = 32
_MAX_BYTES = 1_000


def read_public_key(text: str) -> Ed25519PublicKey:
    """Raises InputError for a text that is no public key."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise InputError(f"A public key is the Base64 of {N_KEY_BYTES} bytes.") from None


def require_signature(folder: Path, public_keys: tuple[str, ...]) -> None:
    """Raises BundleError unless one of the keys signed bundle.json as it is."""
    file = folder / SIGNATURE_FILE
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_BYTES:
        raise BundleError(f"It is not signed: {SIGNATURE_FILE} is missing.")
    try:
        signature = base64.b64decode(file.read_bytes().strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BundleError(f"{SIGNATURE_FILE} is no signature.") from None
    signed = (folder / "bundle.json").read_bytes()
    if not any(_is_signed_by(key, signature, signed) for key in public_keys):
        raise BundleError("None of the trusted keys signed it, or bundle.json was altered afterwards.")


def _is_signed_by(public_key: str, signature: bytes, signed: bytes) -> bool:
    try:
        read_public_key(public_key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def create_key(file: Path) -> str:
    """Write a new private key, readable for its owner alone. Returns the public key. Raises InputError."""
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"{file} cannot be written ({type(error).__name__}). A key is never replaced.") from None
    return _text_of(key)


def sign_bundle(folder: Path, key_file: Path) -> str:
    """Write the signature of a bundle beside its bundle.json. Returns the public key. Raises InputError."""
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{key_file} is no private key that can be read ({type(error).__name__}).") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{key_file} is a key of another kind than Ed25519.")
    signature = base64.b64encode(key.sign((folder / "bundle.json").read_bytes()))
    (folder / SIGNATURE_FILE).write_bytes(signature + b"\n")
    return _text_of(key)


def _text_of(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
