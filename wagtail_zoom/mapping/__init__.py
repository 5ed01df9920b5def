"""Maps Zoom's payloads to model fields, one module per kind. Pure functions, no database."""
