"""URLs of registration, and the join link that visitors and registrants share."""

from django.urls import path

from . import self_service, views

urlpatterns = [
    path("join/<str:token>/", self_service.join, name="join"),
    path("register/<str:signed_link>/", views.register, name="register"),
    path("register/<str:signed_link>/received/", views.received, name="register_received"),
    path("registration/<str:token>/", self_service.status_page, name="registration"),
    path("registration/<str:token>/confirm/", self_service.confirm, name="registration_confirm"),
    path("registration/<str:token>/cancel/", self_service.cancel, name="registration_cancel"),
    path("registration/<str:token>/resend/", self_service.resend, name="registration_resend"),
    path(
        "registration/<str:token>/calendar.ics", self_service.calendar, name="registration_calendar"
    ),
]
