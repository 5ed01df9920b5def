"""Registers what ``admin/`` offers with Wagtail; nothing else."""
