"""URLs of the calendar files."""

from django.urls import path

from . import views

urlpatterns = [
    path("calendar/all.ics", views.site_calendar, name="calendar_site"),
    path("calendar/date/<str:token>.ics", views.occurrence_calendar, name="calendar_date"),
    path("calendar/series/<str:token>.ics", views.series_calendar, name="calendar_series"),
]
