"""A Wagtail project with three sites and three owners, connected to the Zoom simulator."""
