"""The menu "Zoom" and its lists."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.admin_url_finder import ModelAdminURLFinder, register_admin_url_finder
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup

from ..models import Activity, Registration, SiteItem
from ..permissions import activity_policy, item_policy, registration_policy, sites_for
from . import links
from .listings import (
    activity,
    dates,
    edit,
    meetings,
    person,
    recordings,
    registration,
    registrations,
    rules,
    summaries,
    watch,
)
from .permissions import OwnerMenuItem, OwnerViewSet, shows_summaries


class ItemURLFinder(ModelAdminURLFinder):
    """The edit view of an item depends on its kind."""

    model = SiteItem
    permission_policy = item_policy

    def construct_edit_url(self, instance: SiteItem) -> str:
        return links.item_url(instance)

    def get_edit_url(self, instance: SiteItem) -> str | None:
        if self.user and not sites_for(self.user).filter(pk=instance.site_id).exists():
            return None
        return self.construct_edit_url(instance)


class ConnectionViewSet(ViewSet):
    """An entry without views of its own: it leads to the panel of the current Site, or of the first
    one that the user may change."""

    name = "wagtail_zoom_connection"
    icon = "link"
    menu_label = _("Connection")
    menu_item_class = OwnerMenuItem

    @property
    def menu_url(self) -> str:
        return reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings"])


class MeetingViewSet(OwnerViewSet):
    """Meetings and webinars."""

    model = SiteItem
    name = "wagtail_zoom_meetings"
    url_prefix = "zoom/meetings"
    icon = "calendar-check"
    menu_label = _("Meetings")
    policy = item_policy
    views = ("index", "index_results", "edit")
    index_view_class = meetings.MeetingsView
    edit_view_class = edit.ItemEditView

    def get_urlpatterns(self) -> list[Any]:
        view = self.construct_view(dates.DateVisibilityView)
        return [*super().get_urlpatterns(), path("date/<int:pk>/", view, name="date")]

    def register_admin_url_finder(self) -> None:
        register_admin_url_finder(SiteItem, ItemURLFinder)


class RecordingViewSet(OwnerViewSet):
    """Recordings, with the rules for further recordings of a series or host."""

    model = SiteItem
    name = "wagtail_zoom_recordings"
    url_prefix = "zoom/recordings"
    icon = "media"
    menu_label = _("Recordings")
    policy = item_policy
    views = ("index", "index_results", "edit")
    index_view_class = recordings.RecordingsView
    edit_view_class = edit.RecordingEditView

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("rule/<int:pk>/", self.construct_view(rules.RuleView), name="rule"),
            path("watch/<int:pk>/", self.construct_view(watch.WatchView), name="watch"),
        ]


class SummaryMenuItem(OwnerMenuItem):
    """Shown to owners of whom a Site has summaries switched on."""

    def is_shown(self, request: Any) -> bool:
        return super().is_shown(request) and shows_summaries(request.user)


class SummaryViewSet(OwnerViewSet):
    """Summaries of meetings, to be reviewed."""

    model = SiteItem
    name = "wagtail_zoom_summaries"
    url_prefix = "zoom/summaries"
    icon = "doc-full"
    menu_label = _("Summaries")
    menu_item_class = SummaryMenuItem
    policy = item_policy
    views = ("index", "index_results", "edit")
    index_view_class = summaries.SummariesView
    edit_view_class = summaries.SummaryEditView

    def register_admin_url_finder(self) -> None:
        """``MeetingViewSet`` has registered it."""


class RegistrationViewSet(OwnerViewSet):
    """Registrations."""

    model = Registration
    name = "wagtail_zoom_registrations"
    url_prefix = "zoom/registrations"
    icon = "group"
    menu_label = _("Registrations")
    policy = registration_policy
    index_view_class = registrations.RegistrationsView

    def get_urlpatterns(self) -> list[Any]:
        decide = [
            path(
                f"{name}/<int:pk>/",
                registration.RegistrationDecisionView.as_view(action=name),
                name=name,
            )
            for name in ("approve", "deny", "cancel", "retry")
        ]
        return [
            *super().get_urlpatterns(),
            *decide,
            path("edit/<int:pk>/", registration.RegistrationEditView.as_view(), name="edit"),
            path("view/<int:pk>/", registration.RegistrationDetailView.as_view(), name="view"),
            path("hand-out/<int:pk>/", person.PersonExportView.as_view(), name="export"),
            path("forget/<int:pk>/", person.PersonForgetView.as_view(), name="forget"),
        ]


class ActivityViewSet(OwnerViewSet):
    """The activity log."""

    model = Activity
    name = "wagtail_zoom_activity"
    url_prefix = "zoom/activity"
    icon = "history"
    menu_label = _("Activity")
    policy = activity_policy
    index_view_class = activity.ActivityView

    def get_urlpatterns(self) -> list[Any]:
        replay = self.construct_view(activity.EventReplayView)
        return [*super().get_urlpatterns(), path("replay/<int:pk>/", replay, name="replay")]


class ZoomViewSetGroup(ViewSetGroup):
    """The submenu."""

    items = (
        MeetingViewSet,
        RecordingViewSet,
        SummaryViewSet,
        RegistrationViewSet,
        ActivityViewSet,
        ConnectionViewSet,
    )
    menu_label = _("Zoom")
    menu_name = "zoom"
    menu_icon = "media"
    menu_order = 450
