"""Logging and metrics for operators: IDs, counts and durations, never content.

Our loggers come from :func:`get_logger` and add ``zoom_account``, ``zoom_site``, ``zoom_run``,
``zoom_event``, ``zoom_registration`` and ``zoom_task`` to each record (primary keys; empty where
none applies). :class:`JsonFormatter` writes one JSON object per line. Metrics go to the callable
named by ``WAGTAIL_ZOOM["METRICS"]``.
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
from django.views.decorators.debug import sensitive_variables

from ..conf import settings
from .error_reports import TextHidden

FIELDS = ("account", "site", "run", "event", "registration", "task")
_NAMES = tuple((name, f"zoom_{name}") for name in FIELDS)
_EMPTY_IDS = {name: "" for _key, name in _NAMES}
_bound: ContextVar[dict[str, Any]] = ContextVar("wagtail_zoom_bound", default={})  # noqa: B039
P = ParamSpec("P")
T = TypeVar("T")


class _ContextLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds the IDs of the current context to each record."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        bound = _bound.get()
        ids = {name: bound.get(key, "") for key, name in _NAMES} if bound else _EMPTY_IDS
        extra = kwargs.get("extra")
        return msg, {**kwargs, "extra": {**ids, **extra} if extra else ids}


def get_logger(name: str) -> _ContextLogger:
    """A logger below ``wagtail_zoom``."""
    return _ContextLogger(logging.getLogger(f"wagtail_zoom.{name}"), {})


@contextmanager
def log_context(**ids: Any) -> Iterator[None]:
    """Add IDs to all records logged inside. Names are those of ``FIELDS``."""
    token = _bound.set({**_bound.get(), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


def instrumented_task(func: Callable[P, T]) -> Callable[P, T]:
    """Decorate a task: its name is added to each record, its duration is recorded as a metric."""

    @sensitive_variables()  # a mail about an error shows no variable of what a task works on
    @wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        started, outcome = time.monotonic(), "failed"
        with log_context(task=func.__name__):
            try:
                result = func(*args, **kwargs)
                outcome = "done"
                return result
            except Exception as error:
                # The worker stores and logs the text of what it catches.
                raise TextHidden.of(error) from None  # guard: task-error-without-text
            finally:
                elapsed = time.monotonic() - started
                record_metric("task_seconds", elapsed, task=func.__name__, outcome=outcome)

    return run


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, IDs and the exception's class.

    Of an exception only the class and the position are written: texts of other libraries may
    contain the data that was passed to them.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in FIELDS:
            value = getattr(record, f"zoom_{name}", "")
            if value not in ("", None):
                entry[name] = value
        if record.exc_info and record.exc_info[1] is not None:
            error_class, _error, traceback = record.exc_info
            entry["error"] = error_class.__name__ if error_class else ""
            while traceback is not None and traceback.tb_next is not None:
                traceback = traceback.tb_next
            if traceback is not None:
                entry["at"] = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        return json.dumps(entry, ensure_ascii=False)


def record_metric(name: str, value: float = 1, **tags: Any) -> None:
    """Pass a number to the project's metrics callable, if one is set. Never raises.

    Args:
        tags: few, short and bounded in number; never the ID of a person or text from Zoom.
    """
    path = settings.metrics
    if not path:
        return
    try:
        _load_receiver(path)(name, value, {key: str(tag) for key, tag in tags.items()})
    except Exception as error:
        get_logger("metrics").warning("The metrics do not work (%s).", type(error).__name__)


@lru_cache(maxsize=4)
def _load_receiver(path: str) -> Callable[[str, float, dict[str, str]], Any]:
    receiver: Callable[[str, float, dict[str, str]], Any] = import_string(path)
    return receiver
