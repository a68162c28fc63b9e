"""The commands that sign bundles: ``python -m ml key | sign``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.bundle import read_bundle


@dataclass(frozen=True, kw_only=True)
class Key:
    """Create a private key to sign bundles with, and print its public key for BUNDLE_PUBLIC_KEYS."""

    file: Annotated[Positional[Path], arg(metavar="FILE")]
    """New file of the private key. Keep it off the servers."""

    def run(self) -> int:
        from ml.bundle_signature import create_key

        print(create_key(self.file))
        return 0


@dataclass(frozen=True, kw_only=True)
class Sign:
    """Sign a bundle: write bundle.json.sig, after its hashes were checked."""

    bundle: Annotated[Positional[Path], arg(metavar="BUNDLE")]
    """Folder of a bundle, or its name in ml/bundles."""
    key: Annotated[Path, arg(metavar="FILE")]
    """File of the private key (PEM, Ed25519)."""

    def run(self) -> int:
        from ml.bundle_signature import sign_bundle

        bundle = read_bundle(self.bundle, verify=True)
        print(f"{bundle.model_version} is signed; public key {sign_bundle(bundle.folder, self.key)}")
        return 0
