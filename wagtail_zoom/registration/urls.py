"""URLs of registration, and the join link that visitors and registrants share."""

from django.urls import path

from . import personal, views

urlpatterns = [
    path("join/<str:token>/", personal.join, name="join"),
    path("register/<str:ref>/", views.register, name="register"),
    path("register/<str:ref>/received/", views.received, name="register_received"),
    path("registration/<str:token>/", personal.show, name="registration"),
    path("registration/<str:token>/confirm/", personal.confirm, name="registration_confirm"),
    path("registration/<str:token>/cancel/", personal.cancel, name="registration_cancel"),
    path("registration/<str:token>/resend/", personal.resend, name="registration_resend"),
    path("registration/<str:token>/calendar.ics", personal.calendar, name="registration_calendar"),
]
