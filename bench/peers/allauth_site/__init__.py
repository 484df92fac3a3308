"""A peer in an environment of its own: django-allauth, headless, sign-in by a code to a phone; SQLite (WAL).

`PEER_FOLDER` says where its database lies, `CODES` to which UDP port each code goes.
"""
