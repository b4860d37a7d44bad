"""N4: no 2xx without a row, in seven states in which the database cannot store one."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from benchmarks.children import Failed
from benchmarks.workshop import Workshop
from tests.chaos.cluster import USER, Cluster
from tests.chaos.experiment import Experiment, NotHere, Outcome, Size
from tests.chaos.inbound.senders import Answer, Line
from tests.chaos.inbound.serving import PRODUCT, Served, own_postgresql, stored
from tests.chaos.waiting import wait_until

SWALLOWS: Final = "tests.chaos.inbound.broken.swallows_errors:application"
TABLE: Final = "notifications_notification"
CONNECTIONS: Final = 8
DATABASE, LOCKED = 3, 11  # codes of Edu-iX for "our side": Server faults
# The product waits 5 s for a lock and 15 s for a statement; here it has less patience.
OPTIONS: Final = "-c statement_timeout=400 -c lock_timeout=200"
FILL: Final = "INSERT INTO filling SELECT repeat('x', 7000) FROM generate_series(1, {rows})"
FEW: Final = 20  # connections that this PostgreSQL takes

State = Callable[[Cluster, Path], AbstractContextManager[None]]


@contextmanager
def down(cluster: Cluster, _small: Path) -> Iterator[None]:
    """PostgreSQL does not run."""
    cluster.stop()
    yield
    cluster.start()


@contextmanager
def locked(cluster: Cluster, _small: Path) -> Iterator[None]:
    """Somebody holds the table, as a migration does."""
    with psycopg.connect(cluster.url) as holder:
        holder.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def full_house(cluster: Cluster, _small: Path) -> Iterator[None]:
    """Others have taken every connection."""
    with ExitStack() as stack:
        _hang_up(cluster)
        for _ in range(FEW + 5):
            with contextlib.suppress(psycopg.OperationalError):
                stack.enter_context(psycopg.connect(cluster.url, autocommit=True))
        yield


@contextmanager
def slow(cluster: Cluster, _small: Path) -> Iterator[None]:
    """An INSERT takes longer than a statement may."""
    _say(
        cluster,
        "CREATE FUNCTION crawl() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'",
        f"CREATE TRIGGER crawl BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION crawl()",
    )
    yield
    _say(cluster, "DROP FUNCTION crawl() CASCADE")


@contextmanager
def full_disk(cluster: Cluster, small: Path) -> Iterator[None]:
    """The table stands on a disk of 8 MB, and that is full."""
    _say(
        cluster,
        f"CREATE TABLESPACE small LOCATION '{small}'",
        f"ALTER TABLE {TABLE} SET TABLESPACE small",
        "CREATE TABLE filling (words text) TABLESPACE small",
        "ALTER TABLE filling ALTER words SET STORAGE PLAIN",
    )
    for rows in (100, 1):
        with contextlib.suppress(psycopg.errors.DiskFull):
            while True:
                _say(cluster, FILL.format(rows=rows))
    yield
    _say(cluster, "DROP TABLE filling", "CHECKPOINT")  # which removes its files


@contextmanager
def read_only(cluster: Cluster, _small: Path) -> Iterator[None]:
    """It is a standby, which nobody has promoted yet."""
    standby = cluster.data / "standby.signal"
    cluster.stop()
    standby.touch()
    cluster.start()
    yield
    cluster.stop()
    standby.unlink()
    cluster.start()


@contextmanager
def not_migrated(cluster: Cluster, _small: Path) -> Iterator[None]:
    """The program is newer than the tables: a column is not there yet."""
    _say(cluster, f"ALTER TABLE {TABLE} RENAME flags TO flags_of_tomorrow")
    yield
    _say(cluster, f"ALTER TABLE {TABLE} RENAME flags_of_tomorrow TO flags")


STATES: Final[tuple[State, ...]] = (
    down,
    locked,
    full_house,
    slow,
    full_disk,
    read_only,
    not_migrated,
)


def run(workshop: Workshop, size: Size) -> Outcome:
    """All seven."""
    return _tried(workshop, size, PRODUCT)


def control(workshop: Workshop, size: Size) -> Outcome:
    """The same with a door that does not look at what the database said."""
    return _tried(workshop, size, SWALLOWS)


def _tried(workshop: Workshop, size: Size, application: str) -> Outcome:
    outcome = Outcome()
    each = size.of(200, smoke=16, quick=40)
    acked: dict[str, str] = {}  # by key, the state in which it was answered 2xx
    with ExitStack() as stack:
        small = stack.enter_context(_small_disk())  # outlives the server, which uses it
        options = {"max_connections": str(FEW), "superuser_reserved_connections": "0"}
        cluster = stack.enter_context(own_postgresql(workshop, None, **options))
        door = Served(workshop, f"{cluster.url}?options={quote(OPTIONS)}", application=application)
        stack.callback(door.kill)
        door.start()
        for state in STATES:
            name = state.__name__
            _recover(door, f"{name}-before")
            with state(cluster, small):
                answers = _ask(door, name, each)
            _recover(door, f"{name}-after")
            outcome.remarks.append(f"{name}: {_counted(answers)}")
            for key, answer in answers.items():
                if isinstance(answer, Answer) and answer.status < 300:
                    acked[key] = name
                elif not _is_honest(answer, name):
                    outcome.violations.append(f"{name}: answered {answer}")
            outcome.tried += len(answers)
            if application == PRODUCT and list(acked.values()).count(name) == each:
                raise Failed(f"{name} did not keep the database from storing")
        there = stored(workshop, cluster.url)
    outcome.violations += [
        f"{name}: {key} was answered 2xx and has no row"
        for key, name in acked.items()
        if key not in there
    ]
    return outcome


def _ask(door: Served, name: str, number: int) -> dict[str, Answer | OSError]:
    """What became of so many deliveries, by key."""
    keys = [f"{name}-{one}" for one in range(number)]
    shares = [keys[start::CONNECTIONS] for start in range(CONNECTIONS)]

    def work(share: list[str]) -> dict[str, Answer | OSError]:
        line = Line(door.port)
        try:
            return {key: _delivered(line, key) for key in share}
        finally:
            line.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return {key: answer for part in pool.map(work, shares) for key, answer in part.items()}


def _delivered(line: Line, key: str) -> Answer | OSError:
    try:
        return line.deliver(key)
    except OSError as problem:
        return problem


def _is_honest(answer: Answer | OSError, name: str) -> bool:
    """Whether it tells the sender that it is our side, and that it must come again."""
    if isinstance(answer, OSError):
        return False
    if answer.status == 503:
        return answer.retry_after.isdigit()
    codes = {DATABASE, LOCKED} if name == "locked" else {DATABASE}
    return answer.status == 500 and answer.side == "Server" and answer.code in codes


def _recover(door: Served, key: str) -> None:
    """Until it answers 200 again. Raises `Failed`."""
    line = Line(door.port)
    numbers = itertools.count()

    def stores() -> bool:
        answer = _delivered(line, f"{key}-{next(numbers)}")
        return isinstance(answer, Answer) and answer.status == 200

    wait_until(stores, f"200 {key}")
    line.close()


def _counted(answers: dict[str, Answer | OSError]) -> str:
    counts = Counter(
        f"{answer.status}/{answer.code}" if isinstance(answer, Answer) else "no answer"
        for answer in answers.values()
    )
    return ", ".join(f"{number} x {what}" for what, number in sorted(counts.items()))


def _say(cluster: Cluster, *statements: str) -> None:
    """Each in a transaction of its own."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _hang_up(cluster: Cluster) -> None:
    """On everybody else."""
    _say(
        cluster,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )


@contextmanager
def _small_disk() -> Iterator[Path]:
    """8 MB, for the user of the database. Raises `NotHere`."""
    if os.geteuid() != 0:
        raise NotHere("the right to mount, as root")
    folder = Path(tempfile.mkdtemp(prefix="eduix-small-"))
    options = f"size=8m,mode=700,uid={pwd.getpwnam(USER).pw_uid}"
    try:
        mounted = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            raise NotHere(f"a disk in memory: {mounted.stderr.strip()}")
        try:
            yield folder
        finally:
            wait_until(lambda: _unmounted(folder), "the small disk is not in use")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unmounted(folder: Path) -> bool:
    subprocess.run(["/bin/umount", str(folder)], capture_output=True, check=False)
    return not os.path.ismount(folder)


EXPERIMENTS: Final = (
    Experiment(
        "N4",
        "No answer 2xx without a row, in seven states of a database that cannot store",
        run,
        control,
        "the door does not look at what the database said",
    ),
)
