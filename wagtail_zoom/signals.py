"""Signals for projects. All are sent after the commit, with ``send_robust``.

``account_connected``     sender ``ZoomSettings``; ``site``, ``account`` (``ZoomAccount``)
``account_disconnected``  sender ``ZoomSettings``; ``site``, ``account``, ``kept`` (as archive)
``mirror_changed``        sender ``ZoomAccount``; ``account``, ``meetings`` and ``recordings``
                          (sets of primary keys whose rows were created, changed or removed)
``registration_changed``  sender ``Registration``; ``registration``, ``previous`` (state before)
"""

from django.dispatch import Signal

account_connected = Signal()
account_disconnected = Signal()
mirror_changed = Signal()
registration_changed = Signal()
