"""What fails below us in the middle of sending: nothing is lost, it is told, and it goes on."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop, open_workshop
from tests.chaos.cluster import Cluster
from tests.chaos.experiment import NotHere
from tests.chaos.partner import Partner
from tests.chaos.product import Process, Product
from tests.chaos.waiting import comes_true, wait_until
from tests.conftest import need

pytestmark = pytest.mark.service

PERSONS = 4
NOT_DONE = "status <> 'done'"
TROUBLE = (
    "outbox_database",
    "outbox_not_settled",
)  # a line of the log, each with the kind of error


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with open_workshop("") as made:
        yield made


@contextmanager
def sending(workshop: Workshop, database: str) -> Iterator[tuple[Product, Partner]]:
    with Partner() as partner:
        environ = {**partner.environ, "EDUIX_LEASE_SECONDS": "2", "EDUIX_CONNECTIONS": "2"}
        with Product(workshop, database, **environ) as product:
            yield product, partner


def begin(product: Product, partner: Partner) -> Process:
    """A sender whose first calls took effect and have no answer yet."""
    product.run("rows:queue_persons", first=1, count=PERSONS)
    sender = product.start("sending:deliver")
    wait_until(lambda: partner.calls("createPerson") > 0, "the first call")
    return sender


def assert_all_sent_once(product: Product, partner: Partner) -> None:
    assert comes_true(lambda: not product.count(NOT_DONE), seconds=90), product.log()[-2000:]
    assert len(partner.applied("createPerson")) == PERSONS
    assert partner.applied_twice() == []


def has_told(product: Product) -> bool:
    return any(word in product.log() for word in TROUBLE)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own. Needs root."""
    folder = Path(tempfile.mkdtemp(prefix="eduix-disk-"))
    options = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and not subprocess.run(options, check=False).returncode  # noqa: S603
    try:
        need(mounted, "root, who may mount a small file system")
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607
        folder.rmdir()


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                continue
        except OSError:
            return ballast
    raise AssertionError("unreachable")


def test_a_full_disk_stops_sending_and_it_goes_on_when_there_is_room(workshop: Workshop) -> None:
    with small_disk(32) as disk:
        made = Path(workshop.database(SQLITE, "full").removeprefix("sqlite:///"))
        database = disk / "db.sqlite3"
        database.write_bytes(made.read_bytes())
        with sending(workshop, f"sqlite:///{database}") as (product, partner):
            with partner.holding("createPerson"):
                sender = begin(product, partner)
                ballast = fill(disk)
            wait_until(lambda: has_told(product), "a line in the log")
            assert product.run("looking:look", ahead=65)["word"] != "ok"
            assert sender.is_alive

            ballast.unlink()

            assert_all_sent_once(product, partner)
            wait_until(lambda: product.run("looking:look")["word"] == "ok", "a sign of life")


def test_a_database_that_dies_in_the_middle_is_waited_for() -> None:
    try:
        cluster = Cluster()
    except NotHere as reason:
        need(False, str(reason))
        raise AssertionError("unreachable") from reason
    with (
        cluster,
        open_workshop(cluster.url) as workshop,
        sending(workshop, workshop.database(POSTGRESQL, "gone")) as (product, partner),
    ):
        with partner.holding("createPerson"):
            sender = begin(product, partner)
            cluster.kill()
        wait_until(lambda: has_told(product), "a line in the log")
        assert sender.is_alive

        cluster.start()

        assert_all_sent_once(product, partner)


def test_two_drainers_by_mistake_share_the_work(workshop: Workshop) -> None:
    with sending(workshop, workshop.database(SQLITE, "two")) as (product, partner):
        senders = [product.start("sending:deliver") for _ in range(2)]
        product.run("rows:queue_persons", first=1, count=PERSONS)

        assert_all_sent_once(product, partner)

        assert all(sender.is_alive for sender in senders)
        assert partner.overlaps == []
        assert not has_told(product)
