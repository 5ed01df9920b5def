"""Keeps people out of error reports: those by email, of the worker, and in logs.

Django's report of an error holds the posted form and the variables of every frame; the text of an
exception may hold what was passed to a library. The place of the error is enough to find it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.http import HttpResponseBase
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class TextHidden(Exception):
    """Stands for another exception, with its class and traceback but without its text."""

    @classmethod
    def of(cls, error: BaseException) -> TextHidden:
        hidden = error if isinstance(error, cls) else cls(f"{type(error).__name__}, text left out")
        return hidden.with_traceback(error.__traceback__)


def exc_info_of(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """``exc_info`` for a log record that may be mailed or sent to an error tracker."""
    return type(error), TextHidden.of(error), error.__traceback__


def hide_people(view: Callable[P, R]) -> Callable[P, R]:
    """Decorate a view that handles data of people: no form value and no variable is reported.

    It covers all frames below, Django's own too. A function that names some variables only would
    show the others again, in itself and below, so none of ours does.
    """

    @sensitive_post_parameters()  # guard: error-report-without-form
    @sensitive_variables()  # guard: error-report-without-variables
    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs)

    return wrapped
