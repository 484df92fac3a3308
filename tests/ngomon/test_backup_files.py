"""A backup's file or key that cannot be read or written is one line (rule 1011)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ngomon import sealed_file
from ngomon.commands.backup import backup as command
from ngomon.commands.wrong import Wrong
from tests.ngomon.test_backup import House, house

__all__ = ["house"]  # a fixture


def test_a_file_that_cannot_be_is_one_line(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGOMON_DATABASE_URL", house.url)
    monkeypatch.setenv("NGOMON_SECRET_KEYS", house.secret)
    key, nowhere = tmp_path / "key", tmp_path / "nowhere" / "file"
    sealed_file.make_key(key)
    run = CliRunner()
    for words, said in (
        ([str(nowhere), "--key-file", str(key)], f"nowhere/.file.part: {os.strerror(errno.ENOENT)}"),
        ([str(tmp_path / "all"), "--key-file", str(nowhere)], f"nowhere/file: {os.strerror(errno.ENOENT)}"),
        (["/dev/full/x", "--key-file", str(key)], "Not a directory"),
    ):
        with pytest.raises(Wrong, match=said):
            run.invoke(command, words, catch_exceptions=False)


def test_a_disk_that_is_full_is_the_files_trouble(tmp_path: Path) -> None:
    with (
        pytest.raises(sealed_file.FileTrouble, match="No space left"),
        Path("/dev/full").open("wb", 0) as full,
    ):
        sealed_file.SealingWriter(full, b"k" * 32).end()
    with pytest.raises(sealed_file.FileTrouble, match=os.strerror(errno.EISDIR)):
        sealed_file.key_in(tmp_path)
