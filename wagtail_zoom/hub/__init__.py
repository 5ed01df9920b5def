"""The hub: one published Zoom app for websites that are deployed separately.

A deployment is a website with an installation of its own. To it the hub is Zoom's authorisation
server and the sender of Zoom's webhook events. It runs ``wagtail_zoom`` with other settings and
without other code. This app needs no other app of the package; where ``wagtail_zoom`` is installed
too, the installation's own Sites use the same Zoom app.
"""
