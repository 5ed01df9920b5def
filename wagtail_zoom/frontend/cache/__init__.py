"""HTML of blocks in Django's cache: its key, its time, what makes a new version."""
