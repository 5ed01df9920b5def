"""URLs of the OAuth flow, under the project's ``zoom/``."""

from django.urls import path

from . import views

urlpatterns = [
    path("oauth/connect/<int:site_pk>/", views.connect, name="oauth_connect"),
    path("oauth/callback/", views.callback, name="oauth_callback"),
    path("oauth/finish/", views.finish, name="oauth_finish"),
    path("oauth/switch/<int:site_pk>/", views.switch, name="oauth_switch"),
    path("start/", views.start, name="start"),
    path("invite/<str:token>/", views.invite, name="invite"),
]
