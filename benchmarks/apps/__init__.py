"""WSGI applications that stand beside the product's under the same server."""

from typing import Final

BODY_TABLE: Final = "bench_body"
"""Where `bare.py` keeps its bodies."""
