"""Sets the clock of a process CLOCK_OFFSET_S seconds wrong: Python reads this file at its start."""

import datetime
import os
import time

_offset_s = float(os.environ.get("CLOCK_OFFSET_S", "0"))
_real_time, _real_now = time.time, datetime.datetime.now

if _offset_s:
    from django.utils import timezone

    time.time = lambda: _real_time() + _offset_s
    timezone.now = lambda: _real_now(datetime.UTC) + datetime.timedelta(seconds=_offset_s)
