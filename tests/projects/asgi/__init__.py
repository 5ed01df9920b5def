"""A project under ASGI, on PostgreSQL with a pool of connections, as the documentation says."""
