"""The unit file is hardened, and says what the daemon relies on (R-67)."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "ccdaemon.service"

needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def service() -> dict[str, list[str]]:
    """Every assignment of [Service], in order."""
    assignments: dict[str, list[str]] = {}
    section = UNIT.read_text(encoding="utf-8").partition("[Service]\n")[2].partition("[Install]")[0]
    for line in section.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            assignments.setdefault(name, []).append(value)
    return assignments


@needs_systemd_analyze
def test_systemd_rates_the_unit_as_hardened() -> None:
    """Exposure 2.0 of 10 at most."""
    rating = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert rating.returncode == 0, rating.stdout[-500:] + rating.stderr


@needs_systemd_analyze
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """The program and the user of the unit are replaced by ones that every machine has."""
    copy = tmp_path / "ccdaemon.service"
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/bin/ccdaemon", shutil.which("true") or ""))
    verdict = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )

    assert [line for line in verdict.stderr.splitlines() if "ccdaemon.service" in line] == []


def test_the_unit_speaks_readiness_and_watchdog_from_the_main_process() -> None:
    said = service()

    assert (said["Type"], said["NotifyAccess"]) == (["notify"], ["main"])
    assert said["WatchdogSec"] == ["90s"]
    assert said["KillMode"] == ["mixed"]


def test_the_unit_does_not_retry_a_wrong_configuration() -> None:
    assert service()["RestartPreventExitStatus"] == ["78"]


def test_the_units_files_are_for_its_user_only() -> None:
    said = service()

    assert (said["UMask"], said["StateDirectoryMode"]) == (["0077"], ["0700"])
    assert said["LimitCORE"] == ["0"]


def test_a_sealed_key_ring_is_one_line_away() -> None:
    assert "\n#LoadCredentialEncrypted=ccdaemon.key:" in UNIT.read_text(encoding="utf-8")
    assert "LoadCredentialEncrypted" not in service()
