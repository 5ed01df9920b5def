"""Caches the HTML of blocks: keys, expiry, invalidation, and purging of a front-end cache."""
