"""Registrations: saved first, then sent to Zoom without loss or duplicates.

``service.register`` is the function for a project's own code. The form's endpoint uses the same
service.
"""
