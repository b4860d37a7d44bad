"""Our endpoint on a real socket, as the notification tests have it."""

from tests.notifications.conftest import credentials as credentials
from tests.notifications.conftest import door as door
from tests.notifications.conftest import quiet_counts as quiet_counts
