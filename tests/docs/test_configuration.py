"""The table of settings is complete and current."""

from docs.configuration import PAGE, ROOT, read_example, read_types, render

SETTINGS = set(read_types((ROOT / "drsite" / "settings.py").read_text()))
DOCUMENTED = {
    variable.name for variables in read_example((ROOT / ".env.example").read_text()).values() for variable in variables
}


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == render(), "Run: python -m docs.configuration"


def test_every_setting_is_documented() -> None:
    assert sorted(SETTINGS - DOCUMENTED) == []


def test_every_documented_setting_is_read() -> None:
    readers = ["docker-compose.yml", "deploy/compose.secrets.yml", "drsite/environment.py", "drsite/metrics.py"]
    read = "".join(path.read_text() for path in map(ROOT.joinpath, readers) if path.exists())
    assert [name for name in sorted(DOCUMENTED - SETTINGS) if name not in read] == []
