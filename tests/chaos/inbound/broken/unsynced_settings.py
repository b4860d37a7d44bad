"""The product's settings, but SQLite does not wait for the disk."""

from backoffice.settings import *  # noqa: F403  all of them but one
from backoffice.settings import DATABASES

_options = DATABASES["default"]["OPTIONS"]
_safe = "synchronous=FULL"
if _safe not in _options["init_command"]:
    raise LookupError(f"{_safe} is no longer what the product asks of SQLite")
_options["init_command"] = _options["init_command"].replace(_safe, "synchronous=OFF")
