"""Registry of scopes (O17)."""

import pytest

from wagtail_zoom.oauth.scopes import (
    FEATURES,
    SCHEDULING_SCOPES,
    SCOPES,
    SUMMARY_SCOPES,
    is_account_level,
    missing_kinds,
    missing_scopes,
)
from wagtail_zoom.testing.simulator.scopes import SCHEDULING as SIMULATED
from wagtail_zoom.testing.simulator.scopes import default_scopes


@pytest.mark.parametrize("kind", ["admin", "user"])
def test_the_simulators_apps_have_all_scopes(kind):
    granted = default_scopes(kind)
    assert missing_scopes(granted) == []
    assert missing_kinds(granted) == []
    assert is_account_level(granted) is (kind == "admin")


@pytest.mark.parametrize("suffix", ["", ":admin"])
def test_classic_scopes_count_as_well(suffix):
    granted = {f"{scope.classic}{suffix}" for scope in (*SCOPES, *SUMMARY_SCOPES)}
    assert missing_kinds(granted) == []


@pytest.mark.parametrize(
    "feature", [name for name in (*FEATURES, "summary") if name != "directory"]
)
def test_o17_one_feature_is_off_and_the_others_work(feature):
    scopes = (*SCOPES, *SUMMARY_SCOPES)
    names = {f"{scope.name}:admin" for scope in scopes if scope.feature != feature}
    assert missing_kinds(names) == [feature]


def test_scheduling_has_scopes_of_its_own():
    """The simulator enforces them; nothing else depends on them."""
    names = {scope.name for scope in SCHEDULING_SCOPES}
    assert names <= set(SIMULATED) and len(names) == len(SCHEDULING_SCOPES)
    assert not names & {scope.name for scope in SCOPES}
    assert all(scope.optional and str(scope.reason) for scope in SCHEDULING_SCOPES)
    assert missing_kinds(set(default_scopes("user")) - names) == []


def test_every_scope_has_a_feature_and_a_reason():
    assert {scope.feature for scope in SCOPES} == set(FEATURES)
    assert all(str(scope.reason) for scope in SCOPES)
    assert len({scope.name for scope in SCOPES}) == len(SCOPES)
    assert not [scope.name for scope in SCOPES if scope.name.endswith((":admin", ":master"))]


def test_without_scopes_all_features_are_missing():
    assert missing_kinds([]) == [
        "meeting", "webinar", "recording", "registration", "summary",
    ]  # fmt: skip
    assert not is_account_level([])
