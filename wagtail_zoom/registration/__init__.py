"""Sign-ups: saved first, brought to Zoom without being lost or doubled, told honestly.

``service.register`` is the door for a project's own code; the block and the form's endpoint use
the same one.
"""
