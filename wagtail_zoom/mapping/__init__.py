"""One module per kind of thing at Zoom: payload → fields. Pure functions, no database."""
