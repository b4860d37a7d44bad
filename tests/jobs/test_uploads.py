"""What is larger than allowed is never stored, not even for a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadhandler import StopUpload

from backoffice.jobs.uploads import CappedUploadHandler


@pytest.fixture
def handler(settings: Any, tmp_path: Path) -> CappedUploadHandler:
    """A handler at the beginning of an upload, with room for ten bytes."""
    settings.IMPORT_MAX_BYTES = 10
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    made = CappedUploadHandler()
    made.new_file("file", "x.csv", "text/csv", None)
    return made


def test_an_upload_within_the_limit_is_stored(handler: CappedUploadHandler) -> None:
    handler.receive_data_chunk(b"12345", 0)
    handler.receive_data_chunk(b"67890", 5)

    stored = handler.file_complete(10)

    assert stored is not None
    assert stored.read() == b"1234567890"
    assert not handler.is_too_large


def test_an_upload_stops_at_the_limit_without_breaking_the_connection(
    handler: CappedUploadHandler, tmp_path: Path
) -> None:
    handler.receive_data_chunk(b"12345", 0)

    with pytest.raises(StopUpload) as stopped:
        handler.receive_data_chunk(b"678901", 5)

    assert not stopped.value.connection_reset
    assert handler.is_too_large
    handler.file.flush()
    assert [file.stat().st_size for file in tmp_path.iterdir()] == [5]
