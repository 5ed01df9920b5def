"""Helpers that know no model of this package: crypto, fields, logging, queue, redaction, text."""
