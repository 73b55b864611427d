"""How often the garbage collector walks through everything. No I/O here.

It stops everything else meanwhile: for a tenth of a second and more where 10,000 calls are remembered, and with Python's
own thresholds after every look that shows many new ones (`bench/README.md`). Almost nothing here is in a cycle, so almost
everything is freed without it.
"""

import gc

YOUNG, MIDDLE, FULL = 700, 10, 1000
"""Objects more than were freed, collections of the young ones, and of the middle ones, until the next older are looked
at, too. Python's own are 700, 10 and 10: a full floor then takes one full collection in about an hour."""


def collect_rarely() -> None:
    """Look through everything seldom, and never again through what is there now. For the start of a process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, FULL)
