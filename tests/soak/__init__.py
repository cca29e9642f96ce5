"""The soak: an installation under everything at once, for minutes or hours, and then the question whether all is right.

    python -m tests.soak --seconds 600 --seed 1

A sandbox and ``ccdaemon run`` are real processes. Twenty accounts at both clouds are pulled while their owners change
things all the time, five of a hundred answers are spoilt, one account gets nothing but faults, the daemon or a part of
it is killed every minute, and DAV clients follow by sync-token. Then the faults stop, and what the clouds hold, what
is stored, what DAV shows and what is exported must be the same (R-68, F-44).
"""
