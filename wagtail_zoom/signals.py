"""Signals for projects, sent after the commit with ``send_robust``; the last one is internal."""

from django.dispatch import Signal

account_connected = Signal()
"""A Site was connected. Sender ``ZoomSettings``; ``site``, ``account`` (``ZoomAccount``)."""

account_disconnected = Signal()
"""A Site was disconnected. Sender ``ZoomSettings``; ``site``, ``account``, ``archived``
(whether an archive remains)."""

mirror_changed = Signal()
"""Rows were created, changed or removed. Sender ``ZoomAccount``; ``account``, ``meetings``,
``recordings`` and ``summaries`` (sets of primary keys). Of summaries, only changes in what visitors
see."""

registration_changed = Signal()
"""The state of a registration has changed. Sender ``Registration``; ``registration``, ``previous``
(the state before)."""

meeting_change_finished = Signal()
"""A change of a meeting has ended: Zoom has it, it has failed, or it was given up. Sender
``MeetingChange``; ``change``, whose ``state`` says which."""

attendance_recorded = Signal()
"""It is final who of the people registered on a Site came to a date; sent again if Zoom reports
another part of it later. Sender ``AttendanceReading``; ``site``, ``reading`` (``start``,
``people``: about how many came in all), ``attendances`` (a queryset of this Site's rows, with
``registration``, ``came``, ``minutes``, ``first_arrival``)."""

person_forgotten = Signal()
"""All data of a person is deleted: delete yours as well. Sender ``Registration``;
``email``, ``site`` (None for all Sites)."""

occurrences_moved = Signal()
"""Internal: upcoming occurrences have a new time. Sent in the transaction that moves them (with
``send``, so that both happen or neither). Sender ``ZoomAccount``; ``account``, ``occurrences``."""

registration_event = Signal()
"""Internal: a ``*.registration_*`` webhook event is processed (with ``send``, so that an error
causes a retry of the event, which sends it again). Sender ``WebhookEvent``; ``account``,
``event``."""
