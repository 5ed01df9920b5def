"""One sentence and one thing to do for each state, in the order in which an owner meets them.

``connecting``: from the first link to the day the permission ends. ``running``: what may happen
while it is connected.
"""
