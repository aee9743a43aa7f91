"""The examples that ship with the project do what their first lines say, under their own policies."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def example(trex):
    """Run an example on a directory of this test, which takes the place of the one in its policy."""

    def run(name: str, place: str, *flags: str):
        (script,) = (EXAMPLES / name).glob("*.rhai")
        (policy,) = (EXAMPLES / name).glob("*.cedar")
        trex.write("example.cedar", policy.read_text().replace(place, str(trex.files)))
        return trex.command("run", str(script), "--policy", "example.cedar", *flags)

    return run


def arguments(**given: object) -> list[str]:
    return [
        part
        for name, value in given.items()
        for part in ("--arg", f"{name}:={value}" if type(value) is int else f"{name}={value}")
    ]


def test_logs_are_rotated(trex, example):
    log = trex.files / "app.log"
    (trex.files / "small.log").write_text("short\n")
    (trex.files / "notes.txt").write_text("x" * 5000)
    for day in range(5):
        log.write_text(f"day {day}\n" * 500)
        result = example("rotate-logs", "/var/log/shop", *arguments(directory=trex.files, beyond=1000))
        assert (result.status, result.document["value"]) == (0, ["app.log"])
    assert log.read_text() == ""
    old = {path.name: gzip.decompress(path.read_bytes()).decode()[:6] for path in trex.files.glob("*.gz")}
    assert old == {"app.log.1.gz": "day 4\n", "app.log.2.gz": "day 3\n", "app.log.3.gz": "day 2\n"}
    assert (trex.files / "small.log").read_text() == "short\n"
    assert (trex.files / "notes.txt").stat().st_size == 5000


def test_large_files_are_reported(trex, example):
    (trex.files / "a/b").mkdir(parents=True)
    (trex.files / "vault").mkdir()
    (trex.files / "a/b/large").write_bytes(b"x" * 200_000)
    (trex.files / "vault/large").write_bytes(b"x" * 200_000)
    (trex.files / "small").write_bytes(b"x")
    result = example("big-files", "/srv", *arguments(top=trex.files, beyond=100_000, most=150_000))
    assert result.status == 0
    assert [each["path"] for each in result.document["value"]] == ["a/b/large"]
    assert [each["alarm_type"] for each in result.document["alarms"]] == ["LargeFiles"]


def test_a_value_is_set(trex, example):
    settings = trex.files / "shop.conf"
    settings.write_text("# the shop\nhost = db1\nport = 5432\nurl=http://a/?b=c\n")
    settings.chmod(0o640)
    result = example("set-value", "/etc/shop", *arguments(file=settings, key="port", value="6543"))
    assert (result.status, result.document["output"]) == (0, "port = 6543")
    assert settings.read_text() == "# the shop\nhost = db1\nport = 6543\nurl=http://a/?b=c\n"
    assert settings.stat().st_mode & 0o777 == 0o640


def test_a_value_that_is_not_there_changes_nothing(trex, example):
    settings = trex.files / "shop.conf"
    settings.write_text("host = db1\n")
    result = example("set-value", "/etc/shop", *arguments(file=settings, key="port", value="6543"))
    assert (result.status, result.document["error"]["code"]) == (1, "script_error")
    assert "has no port" in result.document["error"]["message"]
    assert settings.read_text() == "host = db1\n"


def test_a_program_runs_with_the_arguments_that_are_permitted(trex, example):
    (trex.files / "requests.log").write_text("12 /a\n700 /b\n9 /c\n55 /d\n")
    result = example("run-a-program", "/var/log/shop", *arguments(file=trex.files / "requests.log"))
    assert (result.status, result.document["value"]) == (0, ["700 /b", "55 /d", "12 /a"])


def test_a_program_does_not_run_with_others(trex, example):
    result = example("run-a-program", "/var/log/shop", *arguments(file="/etc/passwd"))
    assert (result.status, result.code) == (3, "access_denied")
