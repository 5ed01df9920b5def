"""The dotted paths that django-q2 may run; each only calls into a room."""
