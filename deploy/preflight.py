"""Start-up check of the containers: refuses weak secrets and installs the TLS certificate.

It runs as root with few capabilities, because the files of a certificate may belong to any user of the host.
"""

import ipaddress
import os
import shutil
import subprocess
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from drsite.environment import Environment
from screening.secret_strength import MIN_CHARS, weakness

OWNER = 10001
GIVEN, IN_USE = Path("/tls-given"), Path("/tls")
CERTIFICATE, KEY = "fullchain.pem", "privkey.pem"
OPTIONAL = {"ADMIN_PASSWORD", "METRICS_TOKEN"}
SELF_SIGNED_DAYS = 825  # Apple's limit for TLS certificates since 2019


def main() -> int:
    """Exit code 0, or 1 after a sentence for each weak secret on standard error."""
    try:
        environment = Environment(os.environ)
        values = {name: environment.get(name, "").strip() for name in MIN_CHARS}
    except ImproperlyConfigured as error:
        found = [str(error)]
    else:
        found = [weakness(name, value) for name, value in values.items() if value or name not in OPTIONAL]
    refused = [sentence for sentence in found if sentence]
    sys.stderr.writelines(f"Refused: {sentence}\n" for sentence in refused)
    if refused:
        return 1
    sys.stdout.write(f"All secrets are strong. {install_certificate()}\n")
    return 0


def install_certificate() -> str:
    """Install the certificate of deploy/tls, else keep the installed one, else create a self-signed one.

    Returns a sentence that names the certificate in use.
    """
    given = [GIVEN / CERTIFICATE, GIVEN / KEY]
    if all(path.is_file() for path in given):
        for path in given:
            install(path, IN_USE / path.name)
        (IN_USE / "self-signed").unlink(missing_ok=True)
        return "The certificate of deploy/tls is installed."
    if any(path.is_file() for path in given):
        sys.exit(f"Refused: deploy/tls must hold both {CERTIFICATE} and {KEY}, or neither.")
    if all((IN_USE / name).is_file() for name in (CERTIFICATE, KEY)):
        return "The installed certificate is kept."
    create_certificate()
    return "A self-signed certificate was created; browsers warn of it until deploy/tls has another."


def create_certificate() -> None:
    """Create a self-signed certificate for the names in ALLOWED_HOSTS."""
    names = [name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    names = [name for name in names if name and name != "*"] or ["localhost"]
    subject_alt_names = ",".join(f"{'IP' if is_ip_address(name) else 'DNS'}:{name}" for name in names)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-days",
        str(SELF_SIGNED_DAYS),
        "-subj",
        f"/CN={names[0][:64]}",
        "-addext",
        f"subjectAltName={subject_alt_names}",
    ]
    draft = {name: Path("/tmp") / name for name in (CERTIFICATE, KEY)}  # noqa: S108 (of this container)
    command += ["-keyout", str(draft[KEY]), "-out", str(draft[CERTIFICATE])]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 (no shell; names are arguments)
    for name, path in draft.items():
        install(path, IN_USE / name)
    (IN_USE / "self-signed").touch()


def is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def install(source: Path, target: Path) -> None:
    """Copy a file atomically, readable by the user of the proxy only."""
    draft = target.with_suffix(".new")
    draft.unlink(missing_ok=True)
    shutil.copyfile(source, draft)
    draft.chmod(0o400)
    os.chown(draft, OWNER, OWNER)
    draft.replace(target)


if __name__ == "__main__":
    sys.exit(main())
