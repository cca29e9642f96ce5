"""The note that tells where DAV is served: who reads it, and whom it outlives."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ccdaemon.config import Config
from ccdaemon.dav.serving.address import NOTE, client_url, noted, noted_url

URL = "http://127.0.0.1:41233"
SERVING = """
import sys
from pathlib import Path
from ccdaemon.dav.serving.address import noted
with noted(Path(sys.argv[1]), sys.argv[2]):
    print("noted", flush=True)
    sys.stdin.read()
"""


def serving(folder: Path, url: str) -> subprocess.Popen[str]:
    """Another process that notes ``url``, and ends when its input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING, str(folder), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "noted\n"
    return process


def test_the_note_of_a_running_server_is_believed(tmp_path: Path) -> None:
    process = serving(tmp_path, URL)
    while_running = noted_url(tmp_path)
    process.communicate()

    assert while_running == URL
    assert noted_url(tmp_path) is None


def test_the_note_of_a_killed_server_is_not_believed(tmp_path: Path) -> None:
    process = serving(tmp_path, URL)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert (tmp_path / NOTE).read_text() == f"{URL}\n"
    assert noted_url(tmp_path) is None


def test_a_note_that_anybody_left_there_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(URL)

    assert noted_url(tmp_path) is None


def test_the_end_of_an_earlier_server_leaves_the_note_of_the_later_one(tmp_path: Path) -> None:
    earlier = serving(tmp_path, "http://127.0.0.1:1")
    later = serving(tmp_path, URL)
    earlier.communicate()

    assert noted_url(tmp_path) == URL
    later.communicate()


def test_readers_do_not_disturb_each_other_or_the_next_server(tmp_path: Path) -> None:
    with noted(tmp_path, "http://127.0.0.1:1"):
        pass
    with (tmp_path / NOTE).open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with noted(tmp_path, URL):
            assert [noted_url(tmp_path), noted_url(tmp_path)] == [URL, URL]


def test_the_note_is_private_whatever_the_umask_and_whatever_was_there(tmp_path: Path) -> None:
    (tmp_path / NOTE).touch(mode=0o666)
    before = os.umask(0)
    try:
        with noted(tmp_path, URL):
            assert stat.S_IMODE((tmp_path / NOTE).stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == [NOTE]


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with noted(tmp_path / "absent", URL):
        assert noted_url(tmp_path / "absent") is None

    assert "could not be noted: No such file or directory" in caplog.text


def test_clients_are_told_the_public_url_then_the_running_server_then_the_configured_address(tmp_path: Path) -> None:
    configured = Config(data_dir=tmp_path)
    public = Config(data_dir=tmp_path, dav={"public_url": "https://dav.example.org/dav/"})
    with noted(tmp_path, URL):
        running = [client_url(configured), client_url(public)]

    assert running == [URL, "https://dav.example.org/dav"]
    assert client_url(configured) == "http://127.0.0.1:5232"
