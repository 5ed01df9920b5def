"""Signals for projects, sent after the commit with ``send_robust``; the last one is internal."""

from django.dispatch import Signal

account_connected = Signal()
"""A Site was connected. Sender ``ZoomSettings``; ``site``, ``account`` (``ZoomAccount``)."""

account_disconnected = Signal()
"""A Site was disconnected. Sender ``ZoomSettings``; ``site``, ``account``, ``kept`` (whether an
archive stays)."""

mirror_changed = Signal()
"""Rows were created, changed or removed. Sender ``ZoomAccount``; ``account``, ``meetings`` and
``recordings`` (sets of primary keys)."""

registration_changed = Signal()
"""A sign-up is in another state. Sender ``Registration``; ``registration``, ``previous`` (the state
before)."""

person_forgotten = Signal()
"""What was stored of a person is deleted: delete what you hold as well. Sender ``Registration``;
``email``, ``site`` (None for all Sites)."""

registration_event = Signal()
"""Internal: a ``*.registration_*`` webhook event is processed. Sent with ``send``, so that an error
has the event retried; then it is sent again. Sender ``WebhookEvent``; ``account``, ``event``."""
