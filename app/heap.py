"""The heap of the C library, of which Python takes whatever is larger than half a kilobyte."""

from __future__ import annotations

import ctypes

# glibc's parameters (mallopt(3)), and how many octets they are set to here.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT, APART = 8 * 1_048_576, 4 * 1_048_576


def keep_what_is_freed() -> bool:
    """Whether the system is not given back what will be wanted again by the next request, as glibc does as
    soon as 128 KiB are free at the end of the heap, and then asks for it page by page: SQLite takes more than
    that for a list alone. Only blocks of several megabytes are had from the system, and given back, on their
    own.

    Other libraries have other ways, and are left alone, as is one that takes no such block for a part of the
    heap: it would no longer adapt to what it is asked for.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # there is no such function, or no such library
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, APART) and mallopt(M_TRIM_THRESHOLD, KEPT))
