"""Helpers without imports of models: crypto, fields, logging, queue, redaction, text."""
