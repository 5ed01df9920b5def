"""What a host's logs and metrics get: ids of what is at work, counts and durations; never content.

Loggers of ours come from :func:`get_logger` and put ``zoom_account``, ``zoom_site``, ``zoom_run``,
``zoom_event``, ``zoom_signup`` and ``zoom_task`` on each record (primary keys; empty where nothing
of the kind is at work). :class:`JsonFormatter` writes them as one JSON object a line. Numbers go to
the callable that ``WAGTAIL_ZOOM["METRICS"]`` names.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.utils.module_loading import import_string

from ..conf import settings

FIELDS = ("account", "site", "run", "event", "signup", "task")
_NAMES = tuple((name, f"zoom_{name}") for name in FIELDS)
_NOTHING = {name: "" for _key, name in _NAMES}
_bound: ContextVar[dict[str, Any]] = ContextVar("wagtail_zoom_bound", default={})  # noqa: B039
P = ParamSpec("P")
T = TypeVar("T")


class _Logger(logging.LoggerAdapter):
    """Puts the ids of what is at work on each record."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        bound = _bound.get()
        ids = {name: bound.get(key, "") for key, name in _NAMES} if bound else _NOTHING
        more = kwargs.get("extra")
        return msg, {**kwargs, "extra": {**ids, **more} if more else ids}


def get_logger(name: str) -> _Logger:
    """A logger below ``wagtail_zoom``."""
    return _Logger(logging.getLogger(f"wagtail_zoom.{name}"), {})


@contextmanager
def log_context(**ids: Any) -> Iterator[None]:
    """Name what is worked on; records written inside carry it. Names are those of ``FIELDS``."""
    token = _bound.set({**_bound.get(), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


def instrumented_task(work: Callable[P, T]) -> Callable[P, T]:
    """For functions that the task queue runs: their name on each record, their time as a metric."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        began, outcome = time.monotonic(), "failed"
        with log_context(task=work.__name__):
            try:
                result = work(*args, **kwargs)
                outcome = "done"
                return result
            finally:
                spent = time.monotonic() - began
                record_metric("task_seconds", spent, task=work.__name__, outcome=outcome)

    return run


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, ids, and the class of an exception.

    Of an exception only the class and the place are written: texts of other libraries may hold
    what was sent to them.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in FIELDS:
            value = getattr(record, f"zoom_{name}", "")
            if value not in ("", None):
                line[name] = value
        if record.exc_info and record.exc_info[1] is not None:
            kind, _error, trace = record.exc_info
            line["error"] = kind.__name__ if kind else ""
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def record_metric(name: str, value: float = 1, **tags: Any) -> None:
    """Hand a number to the project's metrics, if it has any. Never raises.

    Args:
        tags: few, short and bounded in number; never an id of a person or a text of Zoom's.
    """
    path = settings.metrics
    if not path:
        return
    try:
        _receiver(path)(name, value, {key: str(each) for key, each in tags.items()})
    except Exception as error:
        get_logger("metrics").warning("The metrics do not work (%s).", type(error).__name__)


@lru_cache(maxsize=4)
def _receiver(path: str) -> Callable[[str, float, dict[str, str]], Any]:
    found: Callable[[str, float, dict[str, str]], Any] = import_string(path)
    return found
