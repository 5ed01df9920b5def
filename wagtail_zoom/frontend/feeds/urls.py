"""Addresses of the calendar files."""

from django.urls import path

from . import views

urlpatterns = [
    path("calendar/all.ics", views.everything, name="calendar_site"),
    path("calendar/date/<str:token>.ics", views.date, name="calendar_date"),
    path("calendar/series/<str:token>.ics", views.series, name="calendar_series"),
]
