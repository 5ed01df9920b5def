"""A Wagtail project with three sites and three owners, fed by the simulated Zoom."""
