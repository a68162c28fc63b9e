"""Containers: weak secrets are refused, a certificate is installed, limits fit those of the application."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from deploy import preflight
from screening.health import worker_heartbeat
from screening.middleware import MAX_BODY_BYTES
from screening.secret_strength import MIN_CHARS

DEPLOY = Path(settings.BASE_DIR) / "deploy"
STRONG = "9f2c7a41d8e05b36c1aa4471f0e6d2b8" * 2


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strong secrets, and empty folders of certificates."""
    for name in ("GIVEN", "IN_USE"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(preflight, name, tmp_path / name)
    monkeypatch.setattr("os.chown", lambda *_args: None)
    for name in MIN_CHARS:
        monkeypatch.setenv(name, STRONG)


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD"])
@pytest.mark.parametrize("value", ["", "short", "a" * 60, "change-me-" + STRONG])
def test_a_missing_or_weak_secret_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert preflight.main() == 1
    printed = capsys.readouterr().err
    assert f"Refused: {name} is" in printed
    assert not value or value not in printed
    assert not list(preflight.IN_USE.iterdir())


def test_optional_secrets_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in preflight.OPTIONAL:
        monkeypatch.setenv(name, "")
    assert preflight.main() == 0


@pytest.mark.parametrize(
    ("content", "sentence"), [("short\n", "SECRET_KEY is weak: it has 5 characters"), (None, "cannot be read")]
)
def test_a_secret_is_read_from_its_file(
    content: str | None,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content:
        (tmp_path / "secret").write_text(content)
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret"))
    assert preflight.main() == 1
    assert sentence in capsys.readouterr().err


def test_a_certificate_is_created_once_for_the_names_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "screening.example.org,192.0.2.7")
    assert preflight.main() == 0
    created = (preflight.IN_USE / "fullchain.pem").read_bytes()
    command = ["openssl", "x509", "-noout", "-ext", "subjectAltName"]
    text = subprocess.run(command, input=created, capture_output=True, check=True).stdout.decode()
    assert "DNS:screening.example.org" in text
    assert "IP Address:192.0.2.7" in text
    assert (preflight.IN_USE / "privkey.pem").stat().st_mode & 0o777 == 0o400
    assert preflight.main() == 0
    assert (preflight.IN_USE / "fullchain.pem").read_bytes() == created


def test_a_given_certificate_replaces_the_created_one() -> None:
    preflight.main()
    (preflight.GIVEN / "fullchain.pem").write_text("given")
    with pytest.raises(SystemExit, match="both"):
        preflight.main()
    (preflight.GIVEN / "privkey.pem").write_text("given key")
    assert preflight.main() == 0
    assert (preflight.IN_USE / "fullchain.pem").read_text() == "given"
    assert (preflight.IN_USE / "privkey.pem").read_text() == "given key"


def run_script(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(DEPLOY / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_new_settings_are_strong_and_differ_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (run_script("new-env.sh", "screening.example.org").stdout for _ in range(2))
    values = dict(line.split("=", 1) for line in first.splitlines() if re.match("[A-Z]", line))
    for name in MIN_CHARS:
        monkeypatch.setenv(name, values[name])
        assert f"{name}={values[name]}" not in second
    assert preflight.main() == 0


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    (tmp_path / "env").write_text(run_script("new-env.sh", "screening.example.org").stdout)
    return tmp_path / "env"


def test_secrets_are_moved_into_private_files(env_file: Path, tmp_path: Path) -> None:
    before, folder = env_file.read_text(), tmp_path / "secrets"
    assert run_script("secrets-to-files.sh", env_file, folder).returncode == 0
    after = env_file.read_text()
    secrets = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(secrets) == {"SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD", "METRICS_TOKEN"}
    for name, value in secrets.items():
        assert f"{name}={value}\n" in before
        assert value not in after
    assert [path.stat().st_mode & 0o777 for path in (folder, env_file)] == [0o700, 0o600]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    kept = [line for line in before.splitlines() if line.split("=")[0] not in secrets]
    assert after.splitlines()[: len(kept)] == kept
    assert "COMPOSE_FILE=docker-compose.yml:deploy/compose.secrets.yml" in after


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ("REDIS_PASSWORD=", "#"),
        ("(REDIS_PASSWORD)=(.*)", r"\1='\2'"),
        ("^", "COMPOSE_FILE=docker-compose.yml\n"),
        (None, "the folder exists"),
    ],
)
def test_nothing_is_moved_if_something_is_wrong(
    env_file: Path, tmp_path: Path, pattern: str | None, replacement: str
) -> None:
    if pattern is None:
        (tmp_path / "secrets").mkdir()
    else:
        env_file.write_text(re.sub(pattern, replacement, env_file.read_text(), count=1))
    before = env_file.read_text()
    completed = run_script("secrets-to-files.sh", env_file, tmp_path / "secrets")
    assert completed.returncode == 1
    assert "Nothing was changed." in completed.stderr
    assert env_file.read_text() == before
    assert not list(tmp_path.glob("secrets/*"))


def number_in(path: Path, pattern: str) -> int:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_the_proxy_accepts_the_bodies_that_the_application_checks() -> None:
    limit_mb = number_in(DEPLOY / "proxy" / "nginx.conf", r"client_max_body_size (\d+)m;")
    assert MAX_BODY_BYTES < limit_mb * 1024 * 1024 <= MAX_BODY_BYTES * 1.2


def test_no_process_is_killed_before_its_time_limit() -> None:
    compose = DEPLOY.parent / "docker-compose.yml"
    graceful_s = number_in(DEPLOY / "gunicorn_conf.py", r"^graceful_timeout = (\d+)")
    assert graceful_s < number_in(compose, r"  web:\n(?:    .*\n|\n)*?    stop_grace_period: (\d+)s")
    assert graceful_s < number_in(DEPLOY / "proxy" / "nginx.conf", r"proxy_read_timeout (\d+)s")
    grace_s = number_in(compose, r"  worker:\n(?:    .*\n|\n)*?    stop_grace_period: (\d+)s")
    assert grace_s > settings.GRADING_HARD_LIMIT_S


def test_the_health_check_of_the_worker_reads_the_key_of_its_heartbeat() -> None:
    assert f'f"{worker_heartbeat._PREFIX}' in (DEPLOY / "healthcheck_worker.py").read_text()
    assert f'b"{worker_heartbeat.GRADING}"' in (DEPLOY / "healthcheck_worker.py").read_text()


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_the_proxy_has_its_message_for_scripts_in_each_language(language: str) -> None:
    message = json.loads((DEPLOY / "proxy" / "pages" / f"503.{language}.json").read_text())
    assert set(message) == {"code", "message", "fields"}
    assert language == "en" or f'"~*^{language}\\b" {language};' in (DEPLOY / "proxy" / "nginx.conf").read_text()


def test_all_that_the_images_copy_is_in_the_build_context() -> None:
    allowed = {line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (DEPLOY.parent / "Dockerfile").read_text(), re.MULTILINE)
    assert {path.split("/")[0] for path in copied} == allowed
    assert all((DEPLOY.parent / path).exists() for path in copied)
