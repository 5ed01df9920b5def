"""Public pages: visibility rules, queries, view models, caching, feeds and views."""
