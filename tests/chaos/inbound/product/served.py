"""The application as the server runs it, with what an experiment changes in it."""

from backoffice.wsgi import application as application
from tests.chaos.inbound.product.broken import prepare

prepare()
