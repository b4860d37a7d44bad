"""Uploads that stop being stored at the size limit, instead of being refused afterwards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Stores the file in a temporary file and gives up above `IMPORT_MAX_BYTES`.

    The rest of the request is read and thrown away, so that the browser gets a page with the
    reason and not a broken connection.
    """

    is_too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.is_too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.IMPORT_MAX_BYTES:
            self.is_too_large = True
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)
