"""How many examples a property test tries: a sample in each run, a thousand every night."""

from hypothesis import settings

IS_NIGHTLY = settings.default is not None and settings.default.max_examples >= 1000
"""Whether pytest runs with ``--hypothesis-profile=nightly``."""


def examples(sample: int) -> int:
    """The number of examples: ``sample``, or a thousand every night (``make properties``)."""
    return 1000 if IS_NIGHTLY else sample
