import os
import resource
import stat
from collections.abc import Iterator

import pytest

from ccdaemon.errors import BadData, DiskFull, NotPermitted
from ccdaemon.export.writer import write_atomically


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_holds_every_chunk_and_only_its_owner_reads_it(tmp_path):
    target = tmp_path / "out.csv"
    umask = os.umask(0)
    try:
        write_atomically(target, ["a\r\n", "é\n"])
    finally:
        os.umask(umask)

    assert target.read_bytes() == b"a\r\n\xc3\xa9\n"
    assert mode_of(target) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_narrow_umask_does_not_lock_the_owner_out(tmp_path):
    target = tmp_path / "out.csv"
    umask = os.umask(0o777)
    try:
        write_atomically(target, ["x"])
    finally:
        os.umask(umask)

    assert mode_of(target) == 0o600


def test_an_existing_file_is_replaced_whole_and_its_mode_narrowed(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("longer than the new one")
    target.chmod(0o644)

    write_atomically(target, ["new"])

    assert (target.read_text(), mode_of(target)) == ("new", 0o600)


def test_a_hard_link_to_the_old_file_keeps_the_old_content(tmp_path):
    """T-53."""
    target, link = tmp_path / "out.csv", tmp_path / "link"
    target.write_text("old")
    link.hardlink_to(target)

    write_atomically(target, ["new"])

    assert (target.read_text(), link.read_text()) == ("new", "old")


def test_a_symbolic_link_is_refused_and_its_target_untouched(tmp_path):
    """T-53."""
    victim, target = tmp_path / "victim", tmp_path / "out.csv"
    victim.write_text("precious")
    target.symlink_to(victim)

    with pytest.raises(NotPermitted, match="symbolic link"):
        write_atomically(target, ["new"])

    assert victim.read_text() == "precious"
    assert target.is_symlink()
    assert sorted(tmp_path.iterdir()) == [target, victim]


def test_a_dangling_symbolic_link_is_refused(tmp_path):
    target = tmp_path / "out.csv"
    target.symlink_to(tmp_path / "nowhere")

    with pytest.raises(NotPermitted):
        write_atomically(target, ["new"])

    assert not (tmp_path / "nowhere").exists()


def test_a_pipe_or_a_directory_is_refused(tmp_path):
    """T-53."""
    pipe, directory = tmp_path / "pipe", tmp_path / "directory"
    os.mkfifo(pipe)
    directory.mkdir()

    for target in (pipe, directory, tmp_path / ".."):
        with pytest.raises(BadData):
            write_atomically(target, ["new"])

    assert sorted(tmp_path.iterdir()) == [directory, pipe]


@pytest.mark.parametrize("name", ["missing/out.csv", "file/out.csv", "x" * 300, "nul\0"])
def test_a_path_that_cannot_be_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadData):
        write_atomically(tmp_path / name, ["new"])

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_refused(tmp_path):
    """T-53."""
    target = tmp_path / "out.csv"
    target.write_text("theirs")
    os.chown(target, 65534, 65534)

    with pytest.raises(NotPermitted, match="somebody else"):
        write_atomically(target, ["new"])

    assert target.read_text() == "theirs"


def test_a_directory_that_we_must_not_write_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        with pytest.raises(NotPermitted):
            write_atomically(tmp_path / "out.csv", ["new"])
    finally:
        os.seteuid(user)

    assert list(tmp_path.iterdir()) == []


def test_an_error_halfway_leaves_what_was_there_and_nothing_else(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")

    def chunks() -> Iterator[str]:
        yield "new"
        assert target.read_text() == "old"
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError, match="went away"):
        write_atomically(target, chunks())

    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


def test_no_room_on_the_disk_leaves_what_was_there_and_nothing_else(tmp_path):
    """A limit on the size of files stands in for the full disk."""
    target = tmp_path / "out.csv"
    target.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DiskFull):
            write_atomically(target, ["x" * 1000 for _ in range(1000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])
