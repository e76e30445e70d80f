"""Gives memory back to the machine.

Lists of everything there is are read at every start, and as often as watches are begun anew. What is kept of
them is small, but lies scattered among what is not: Python's own allocator gives back nothing of that, and
the C library's (`PYTHONMALLOC=malloc`, in the image) only on demand.
"""

import ctypes


def give_back() -> None:
    """Return free pages to the system, where the C library can do so: glibc."""
    library = ctypes.CDLL(None)  # What this process is linked with already.
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
