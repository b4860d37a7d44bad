"""The peers' Django, under the same server as the product."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.apps.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
