"""The sandbox as a server on loopback: SOAP, WSDL, health and controls.

with SandboxServer(username="demo", password="...") as sandbox:
    client = zeep.Client(sandbox.profile_url + "/wsdl")
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial

from .controls import Controls
from .notifier import Notifier
from .options import SandboxOptions
from .publishers import Publishers
from .sessions import Sessions
from .soap import SoapService
from .statefile import StateFile
from .store import Store
from .timetable import Timetable
from .web import Application, HttpServer
from .world import World


@dataclass(kw_only=True)
class SandboxServer(SandboxOptions):
    """Edu-iX in small; the options of `SandboxOptions` are its arguments.

    After `stop` it may be started again, on the same port: without a state file the state is
    still there, with one it is read again.
    """

    _world: World | None = field(init=False, default=None, repr=False)
    _http: HttpServer | None = field(init=False, default=None, repr=False)
    _timetable: Timetable | None = field(init=False, default=None, repr=False)
    _notifier: Notifier | None = field(init=False, default=None, repr=False)
    _controls: Controls | None = field(init=False, default=None, repr=False)

    def start(self) -> SandboxServer:
        """Begin to serve.

        Raises `OSError` (the port is in use), `SchoolsError`, `PublishersError`,
        `StateFileError`, and `ValueError` for an endpoint that is not on loopback.
        """
        if self._http is not None:
            raise RuntimeError("the sandbox is running already")
        http = HttpServer(self.port)  # first: a port in use must leave a state file alone
        try:
            self.port = http.server_port
            self._begin(http, self._world or self._new_world())
        except BaseException:
            http.server_close()
            raise
        return self

    def _begin(self, http: HttpServer, world: World) -> None:
        timetable, notifier = Timetable(world), Notifier(world)
        self._controls = Controls(world, timetable, notifier)
        services = {name: SoapService(world, name) for name in ("profile", "credit")}
        http.application = Application(
            services=services,
            controls=self._controls,
            url=self.url,
            max_bytes=self.max_bytes,
            page=self.page,
        )
        world.stopping.clear()
        self._world, self._http, self._timetable, self._notifier = world, http, timetable, notifier
        timetable.start()
        notifier.start()
        serve = partial(http.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, name="sandbox-http", daemon=True).start()

    def _new_world(self) -> World:
        self.check_endpoint()
        schools = self.read_schools()
        publishers = Publishers(self.publishers, seed=self.seed)
        file = StateFile(self.state_file, fresh=self.fresh) if self.state_file else None
        self.fresh = False  # a later start continues
        return World(
            options=self,
            store=Store(file),
            schools=schools,
            publishers=publishers,
            sessions=Sessions(minutes=self.session_minutes, calls=self.session_calls),
        )

    def stop(self) -> None:
        """Stop serving, cut what is open, keep the state; does nothing when not running."""
        if self._http is None or self._world is None:
            return
        self._world.stopping.set()
        self._http.stop()
        if self._timetable is not None and self._notifier is not None:
            self._timetable.stop()
            self._notifier.stop()
        self._http = None
        if self.state_file is not None:
            self._world.store.close()
            self._world = None

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def control(self) -> Controls:
        """The controls of the running sandbox."""
        if self._controls is None:
            raise RuntimeError("the sandbox has not been started")
        return self._controls

    @property
    def url(self) -> str:
        """http://127.0.0.1:<port>, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def profile_url(self) -> str:
        return f"{self.url}/soap/4.1/profile"

    @property
    def credit_url(self) -> str:
        return f"{self.url}/soap/4.1/credit"
