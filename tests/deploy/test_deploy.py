"""Containers: weak secrets are refused, a certificate is installed, limits fit those of the application."""

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
    made = (preflight.IN_USE / "fullchain.pem").read_bytes()
    command = ["openssl", "x509", "-noout", "-ext", "subjectAltName"]
    text = subprocess.run(command, input=made, capture_output=True, check=True).stdout.decode()
    assert "DNS:screening.example.org" in text
    assert "IP Address:192.0.2.7" in text
    assert (preflight.IN_USE / "privkey.pem").stat().st_mode & 0o777 == 0o400
    assert preflight.main() == 0
    assert (preflight.IN_USE / "fullchain.pem").read_bytes() == made


def test_a_given_certificate_replaces_the_created_one() -> None:
    preflight.main()
    (preflight.GIVEN / "fullchain.pem").write_text("given")
    with pytest.raises(SystemExit, match="both"):
        preflight.main()
    (preflight.GIVEN / "privkey.pem").write_text("given key")
    assert preflight.main() == 0
    assert (preflight.IN_USE / "fullchain.pem").read_text() == "given"
    assert (preflight.IN_USE / "privkey.pem").read_text() == "given key"


def test_new_settings_are_strong_and_differ_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["sh", str(DEPLOY / "new-env.sh"), "screening.example.org"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout.decode() for _ in range(2))
    values = dict(line.split("=", 1) for line in first.splitlines() if re.match("[A-Z]", line))
    for name in MIN_CHARS:
        monkeypatch.setenv(name, values[name])
        assert f"{name}={values[name]}" not in second
    assert preflight.main() == 0


def move_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(DEPLOY / "secrets-to-files.sh"), str(folder / "env"), str(folder / "secrets")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def new_env(tmp_path: Path) -> str:
    command = ["sh", str(DEPLOY / "new-env.sh"), "screening.example.org"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (tmp_path / "env").write_text(text)
    return text


def test_secrets_move_from_the_settings_into_closed_files(new_env: str, tmp_path: Path) -> None:
    assert move_secrets(tmp_path).returncode == 0
    left = (tmp_path / "env").read_text()
    files = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(files) == {"SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD", "METRICS_TOKEN"}
    for name, value in files.items():
        assert f"{name}={value}\n" in new_env
        assert value not in left
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    kept = [line for line in new_env.splitlines() if line.split("=")[0] not in files]
    assert left.splitlines()[: len(kept)] == kept
    assert "COMPOSE_FILE=docker-compose.yml:deploy/compose.secrets.yml" in left


@pytest.mark.parametrize("obstacle", ["folder", "name", "quotes", "twice"])
def test_nothing_is_moved_where_something_is_in_the_way(new_env: str, tmp_path: Path, obstacle: str) -> None:
    if obstacle == "folder":
        (tmp_path / "secrets").mkdir()
    elif obstacle == "name":
        (tmp_path / "env").write_text(new_env.replace("REDIS_PASSWORD=", "#"))
    elif obstacle == "quotes":
        (tmp_path / "env").write_text(re.sub("(REDIS_PASSWORD)=(.*)", r"\1='\2'", new_env))
    else:
        (tmp_path / "env").write_text(f"{new_env}COMPOSE_FILE=docker-compose.yml\n")
    before = (tmp_path / "env").read_text()
    answer = move_secrets(tmp_path)
    assert answer.returncode == 1
    assert "Nothing was changed." in answer.stderr
    assert (tmp_path / "env").read_text() == before
    assert not list(tmp_path.glob("secrets/*"))


def seconds_of(pattern: str, path: Path) -> int:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_the_proxy_lets_through_what_the_application_judges() -> None:
    limit_mb = seconds_of(r"client_max_body_size (\d+)m;", DEPLOY / "proxy" / "nginx.conf")
    assert MAX_BODY_BYTES < limit_mb * 1024 * 1024 <= MAX_BODY_BYTES * 1.2


def test_nothing_is_killed_before_it_may_end() -> None:
    compose = DEPLOY.parent / "docker-compose.yml"
    graceful = seconds_of(r"^graceful_timeout = (\d+)", DEPLOY / "gunicorn_conf.py")
    assert graceful < seconds_of(r"  web:\n(?:    .*\n|\n)*?    stop_grace_period: (\d+)s", compose)
    assert graceful < seconds_of(r"proxy_read_timeout (\d+)s", DEPLOY / "proxy" / "nginx.conf")
    grading = seconds_of(r"  worker:\n(?:    .*\n|\n)*?    stop_grace_period: (\d+)s", compose)
    assert grading > settings.GRADING_HARD_LIMIT_S


def test_the_worker_is_asked_for_by_the_name_under_which_it_lives() -> None:

    assert f'"{worker_heartbeat._PREFIX}' in (DEPLOY / "healthcheck_worker.py").read_text().replace('f"', '"')
