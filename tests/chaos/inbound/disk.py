"""A disk whose power can be cut: a file system in a file, and what of it has reached the file.

The kernel keeps what is written to the file system in memory, until somebody asks for it to be on
disk or until it sees fit. A copy of the file, made while the file system is in use, holds what a
disk holds when the power fails: that, and not what was only in memory. `kill -9` cannot show the
difference, for the kernel survives it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.children import Failed
from tests.chaos.experiment import NotHere
from tests.chaos.inbound.serving import quick_folder
from tests.chaos.waiting import wait_until

MEGABYTES: Final = 512
QUIET_SECONDS: Final = 0.05
COPIES: Final = 50
# The kernel may write of its own accord. It does so less often here, so that what survives is what
# was asked to be on disk; a real disk is only kinder.
OPTIONS: Final = "loop,noatime,commit=600"


class Disk:
    """Mounted at `folder`; `cut()` leaves what a power cut would."""

    def __init__(self, room: Path) -> None:
        self.folder = room / "disk"
        self._image = room / "image"
        self.folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(MEGABYTES * 2**20)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", str(self._image))
        self._mount()

    def settle(self) -> None:
        """All that was written up to now is on disk."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        _run("sync", "-f", str(self.folder))

    def photograph(self) -> None:
        """Keep what is on disk now. Everybody who writes must stand still. Raises `Failed`."""
        copy = self._image.with_name("copy")
        for _ in range(COPIES):
            before = self._quiet()
            _run("cp", "--sparse=always", str(self._image), str(copy))
            if self._written() == before:  # else the copy is of no single moment
                return
        raise Failed("the disk was never quiet")

    def cut(self) -> None:
        """Go on with what the photograph shows. Nobody may use the disk any more."""
        self.unmount()
        self._image.with_name("copy").replace(self._image)
        self._mount()

    def unmount(self) -> None:
        """Also its loop device, which goes with the last mount."""
        wait_until(self._is_unmounted, "the disk is not in use")

    def _mount(self) -> None:
        try:
            _run("mount", "-o", OPTIONS, str(self._image), str(self.folder))
        except Failed as problem:
            raise NotHere(f"loop devices: {problem}") from problem
        self.folder.chmod(0o755)
        device = _run("findmnt", "-n", "-o", "SOURCE", str(self.folder))
        self._stat = Path("/sys/block") / Path(device).name / "stat"

    def _is_unmounted(self) -> bool:
        if not os.path.ismount(self.folder):
            return True
        with contextlib.suppress(Failed):
            _run("umount", str(self.folder))
        return not os.path.ismount(self.folder)

    def _quiet(self) -> tuple[int, ...]:
        """The counts of writes, once they stand still."""
        seen: tuple[int, ...] = ()
        while seen != (seen := self._written()) or seen[-1]:
            time.sleep(QUIET_SECONDS)
        return seen

    def _written(self) -> tuple[int, ...]:
        """Writes, sectors and flushes so far, and what is under way now."""
        stat = [int(number) for number in self._stat.read_text().split()]
        return stat[4], stat[6], stat[15] if len(stat) > 15 else 0, stat[8]


@contextmanager
def open_disk() -> Iterator[Disk]:
    """A disk of an experiment's own; raises `NotHere` where none can be had."""
    if os.geteuid() != 0:
        raise NotHere("the right to mount, as root")
    if missing := [name for name in ("mkfs.ext4", "mount", "findmnt") if not shutil.which(name)]:
        raise NotHere(f"the programs {', '.join(missing)}")
    room = quick_folder("eduix-disk-")
    room.chmod(0o755)  # the server of a database is another user
    try:
        disk = Disk(room)
        try:
            yield disk
        finally:
            disk.unmount()
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _run(*command: str) -> str:
    """What it prints. Raises `Failed`."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{command[0]}: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()
