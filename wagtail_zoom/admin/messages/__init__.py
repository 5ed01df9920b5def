"""The message and actions of each state.

``connecting``: invited, confirmed, configured, disconnected. ``running``: states of a connected
Site.
"""
