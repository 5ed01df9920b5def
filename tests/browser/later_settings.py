"""The demo with a clock that is three days ahead, and with a cache of its own."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from demo_site.settings import *  # noqa: F403
from demo_site.settings import CACHES, DEMO

CACHES["default"]["LOCATION"] = DEMO.folder / "cache-later"
time_machine.travel(timezone.now() + timedelta(days=3), tick=True).start()
