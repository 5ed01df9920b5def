"""``nox``: the quick tests on every supported pair, as far as the interpreters are there.

``nox -s tests`` runs them all, ``nox -s "tests(python='3.11', django='5.2', wagtail='7.4')"`` one.
"""

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests"]

PAIRS = [
    ("3.11", "5.2", "7.4"),
    ("3.12", "5.2", "7.4"),
    ("3.12", "6.0", "8.0"),
    ("3.13", "6.0", "7.4"),
    ("3.13", "6.1", "8.0"),
    ("3.14", "6.1", "8.0"),
    ("3.14", "6.1", "8.1"),
]
ENDS = (PAIRS[0], PAIRS[-3], PAIRS[-2], PAIRS[-1])
"""Lowest and highest: here the migrations are compared with the models, too."""


@nox.session
@nox.parametrize("python,django,wagtail", PAIRS)
def tests(session: nox.Session, django: str, wagtail: str) -> None:
    """The quick tests; deprecations in our own code are errors.

    ``rc1``: a release candidate counts where the release is not out yet.
    """
    session.install("--quiet", f"Django~={django}.0", f"wagtail~={wagtail}.0rc1", ".[dev]")
    if wagtail.startswith("7."):
        session.install("--quiet", "wagtail-cache>=3")  # It does not allow Wagtail 8 yet.
    session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "wagtail-zoom")
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    if (session.python, django, wagtail) in ENDS:
        session.run(
            *("python", "-W", "error::DeprecationWarning:wagtail_zoom", "-m", "django"),
            *("makemigrations", "--check", "--dry-run", "wagtail_zoom"),
            env=environment,
        )
    session.run(
        *("python", "-m", "pytest", "-q", "-n", "auto", "-m"),
        "not services and not browser and not slow",
        *("-W", "error::DeprecationWarning:wagtail_zoom"),
        *session.posargs,
        env=environment,
    )
