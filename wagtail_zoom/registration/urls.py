"""Addresses of registration, and where the sync and the door for joining find us."""

from django.urls import path

from .. import joining
from . import personal, views

if personal.door not in joining.personal_doors:
    joining.personal_doors.append(personal.door)

urlpatterns = [
    path("register/<str:ref>/", views.register, name="register"),
    path("register/<str:ref>/received/", views.received, name="register_received"),
    path("registration/<str:token>/", personal.show, name="registration"),
    path("registration/<str:token>/confirm/", personal.confirm, name="registration_confirm"),
    path("registration/<str:token>/cancel/", personal.cancel, name="registration_cancel"),
    path("registration/<str:token>/resend/", personal.resend, name="registration_resend"),
    path("registration/<str:token>/calendar.ics", personal.calendar, name="registration_calendar"),
]
