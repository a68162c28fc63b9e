"""Runs before everything else, at every start: refuses missing and weak secrets, and puts a certificate in its place.

Standard library alone, and openssl from the image. As root without other rights, so that whoever installs need not know
which user of the container reads what.
"""

import ipaddress
import os
import shutil
import subprocess
import sys
from pathlib import Path

OWNER = 10001
GIVEN, IN_USE = Path("/tls-given"), Path("/tls")
CERTIFICATE, KEY = "fullchain.pem", "privkey.pem"
MIN_CHARS = {"SECRET_KEY": 50, "DATABASE_PASSWORD": 20, "REDIS_PASSWORD": 20, "ADMIN_PASSWORD": 12, "METRICS_TOKEN": 20}
OPTIONAL = {"ADMIN_PASSWORD", "METRICS_TOKEN"}
MIN_DISTINCT_CHARS = 6
"""Different characters of a random secret of 12 are seldom fewer than 9."""
GUESSABLE = ("changeme", "change-me", "password", "insecure", "secret", "example", "12345678", "qwerty")
SELF_SIGNED_DAYS = 825


def main() -> int:
    """0, or 1 after saying what is wrong with the secrets."""
    problems = [problem for name in MIN_CHARS for problem in weak_secret_errors(name, read_secret(name))]
    for problem in problems:
        sys.stderr.write(f"Refused: {problem}\n")
    if problems:
        sys.stderr.write("`sh deploy/new-env.sh screening.example.org > .env` writes a file with new random secrets.\n")
        return 1
    sys.stdout.write(f"Secrets are in order. {install_certificate()}\n")
    return 0


def read_secret(name: str) -> str:
    """NAME, or what is in the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            sys.exit(f"Refused: {name}_FILE names {path}, which cannot be read ({error.strerror}).")
    return os.environ.get(name, "").strip()


def weak_secret_errors(name: str, value: str) -> list[str]:
    """Sentences; none for a secret that will do."""
    if not value:
        return [] if name in OPTIONAL else [f"{name} is missing."]
    if len(value) < MIN_CHARS[name]:
        return [f"{name} is weak: it has {len(value)} characters, and {MIN_CHARS[name]} are needed."]
    if len(set(value)) < MIN_DISTINCT_CHARS:
        return [f"{name} is weak: it repeats too few different characters."]
    if any(word in value.lower() for word in GUESSABLE):
        return [f"{name} is weak: it contains a word that everybody tries."]
    return []


def install_certificate() -> str:
    """The given certificate, else the one made at an earlier start, else a new one signed by itself. Says which."""
    given = [GIVEN / CERTIFICATE, GIVEN / KEY]
    if all(path.is_file() for path in given):
        for path in given:
            install(path, IN_USE / path.name)
        (IN_USE / "self-signed").unlink(missing_ok=True)
        return "The certificate in deploy/tls is used."
    if any(path.is_file() for path in given):
        sys.exit(f"Refused: deploy/tls must hold both {CERTIFICATE} and {KEY}, or neither.")
    if all((IN_USE / name).is_file() for name in (CERTIFICATE, KEY)):
        return "The certificate of the last start is used."
    make_certificate()
    return "A certificate was made that no browser knows: put one of your own into deploy/tls."


def make_certificate() -> None:
    """One for the names in ALLOWED_HOSTS, signed by itself."""
    names = [name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    names = [name for name in names if name and name != "*"] or ["localhost"]
    known_as = ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in names)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-days",
        str(SELF_SIGNED_DAYS),
        "-subj",
        f"/CN={names[0][:64]}",
        "-addext",
        f"subjectAltName={known_as}",
    ]
    draft = {name: Path("/tmp") / name for name in (CERTIFICATE, KEY)}  # noqa: S108 (this container's own)
    command += ["-keyout", str(draft[KEY]), "-out", str(draft[CERTIFICATE])]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 (no shell; names are arguments)
    for name, path in draft.items():
        install(path, IN_USE / name)
    (IN_USE / "self-signed").touch()


def is_address(name: str) -> bool:
    """Whether it is an IP address and not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def install(source: Path, target: Path) -> None:
    """Put a copy there, whole or not at all, that the proxy's user alone can read."""
    draft = target.with_suffix(".new")
    draft.unlink(missing_ok=True)
    shutil.copyfile(source, draft)
    draft.chmod(0o400)
    os.chown(draft, OWNER, OWNER)
    draft.replace(target)


if __name__ == "__main__":
    sys.exit(main())
