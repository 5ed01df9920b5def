"""URLs of the views of one Site, below ``zoom/`` in the Wagtail admin."""

from __future__ import annotations

from django.urls import path

from .listings import rules
from .scheduling import views as scheduling
from .views import actions, checklist, disconnect, overview, panel

app_name = "wagtail_zoom_admin"

urlpatterns = [
    path("sites/", overview.OverviewView.as_view(), name="overview"),
    path(
        "sites/results/", overview.OverviewView.as_view(results_only=True), name="overview_results"
    ),
    path("<int:site_pk>/live/", panel.LiveView.as_view(), name="live"),
    path("<int:site_pk>/session/", panel.SessionView.as_view(), name="session"),
    path("<int:site_pk>/hosts/", panel.HostsView.as_view(), name="hosts"),
    path("<int:site_pk>/outlook/", panel.PreviewView.as_view(), name="preview"),
    path("<int:site_pk>/visitors/", panel.VisitorsView.as_view(), name="visitors"),
    path("<int:site_pk>/view-page/", checklist.ViewPageView.as_view(), name="view_page"),
    path("<int:site_pk>/choose-page/", checklist.ChoosePageView.as_view(), name="choose_page"),
    path("<int:site_pk>/add-block/", checklist.AddBlockView.as_view(), name="add_block"),
    path(
        "<int:site_pk>/hide-checklist/",
        checklist.HideChecklistView.as_view(),
        name="hide_checklist",
    ),
    path("<int:site_pk>/sync/", actions.SyncView.as_view(), name="sync"),
    path("<int:site_pk>/stop/", actions.StopView.as_view(), name="stop"),
    path(
        "<int:site_pk>/approve-removals/",
        actions.ApproveRemovalsView.as_view(),
        name="approve_removals",
    ),
    path(
        "<int:site_pk>/turn-off-missing/",
        actions.TurnOffMissingView.as_view(),
        name="turn_off_missing",
    ),
    path("<int:site_pk>/replay/", actions.FailedEventsReplayView.as_view(), name="replay"),
    path("<int:site_pk>/pause/", actions.PauseView.as_view(), name="pause"),
    path("<int:site_pk>/resume/", actions.ResumeView.as_view(), name="resume"),
    path("<int:site_pk>/confirm/", actions.ConfirmView.as_view(), name="confirm"),
    path("<int:site_pk>/invite/", actions.InviteView.as_view(), name="invite"),
    path("<int:site_pk>/uninvite/", actions.UninviteView.as_view(), name="uninvite"),
    path("<int:site_pk>/rules/<int:pk>/end/", rules.EndRuleView.as_view(), name="end_rule"),
    path("<int:site_pk>/schedule/", scheduling.ScheduleView.as_view(), name="schedule"),
    path("<int:site_pk>/schedule/templates/", scheduling.TemplatesView.as_view(), name="templates"),
    path("<int:site_pk>/schedule/when/", scheduling.RuleTextView.as_view(), name="rule_text"),
    path(
        "<int:site_pk>/changes/<int:pk>/edit/",
        scheduling.EditChangeView.as_view(),
        name="edit_change",
    ),
    path(
        "<int:site_pk>/changes/<int:pk>/retry/",
        scheduling.RetryChangeView.as_view(),
        name="retry_change",
    ),
    path(
        "<int:site_pk>/changes/<int:pk>/discard/",
        scheduling.DiscardChangeView.as_view(),
        name="discard_change",
    ),
    path(
        "<int:site_pk>/change/<int:pk>/",
        scheduling.ChangeMeetingView.as_view(),
        name="change_meeting",
    ),
    path(
        "<int:site_pk>/cancel/<int:pk>/",
        scheduling.CancelMeetingView.as_view(),
        name="cancel_meeting",
    ),
    path("<int:site_pk>/disconnect/", disconnect.DisconnectView.as_view(), name="disconnect"),
    path("<int:site_pk>/adopt/", disconnect.ActivateCopyView.as_view(), name="adopt"),
]
