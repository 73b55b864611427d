"""How often the garbage collector walks through all objects. No I/O here.

It blocks the event loop meanwhile. With Python's thresholds a scan of 10,000 new calls was blocked by it for 330 ms at a time
and took 470 ms of processor time in it; with these it takes 4 ms and 55 ms (`bench/README.md`; the goal is 20 ms).
Reference counting frees nearly everything here without it.
"""

import gc

YOUNG, MIDDLE, FULL = 700, 10, 1000
"""When each of the three generations is collected (`gc.set_threshold`). Python's own are 700, 10 and 10."""


def collect_rarely() -> None:
    """Collect old objects rarely. Call it before everything is imported, which then takes 0.1 s less of 0.8 s."""
    gc.set_threshold(YOUNG, MIDDLE, FULL)


def keep_for_good() -> None:
    """Never walk again through what exists now, which takes 70 ms each time. Call it when the process has started."""
    gc.freeze()
