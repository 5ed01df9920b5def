"""A hub as a Django project of its own, without Wagtail."""
