"""Imported by Python at its start when this folder is on its path: a machine whose clock is wrong by HEADRACE_TEST_SKEW seconds."""

import datetime
import os
import time

_SKEW = float(os.environ.get("HEADRACE_TEST_SKEW", "0"))
_time, _time_ns, _datetime = time.time, time.time_ns, datetime.datetime


class _Skewed(_datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(_time() + _SKEW, tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(_time() + _SKEW, datetime.UTC).replace(tzinfo=None)


if _SKEW:
    time.time = lambda: _time() + _SKEW
    time.time_ns = lambda: _time_ns() + int(_SKEW * 1e9)
    datetime.datetime = _Skewed
