"""What processes have used, from /proc: CPU time hardly moves when other work shares the machine, seconds do."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and everything that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def run_seconds(pid: int) -> float:
    """Time on a processor of everything that it has started, to the nanosecond; of those that have ended, nothing."""
    found = 0
    for one in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += int(Path(f"/proc/{one}/schedstat").read_text().split()[0])
    return found / 1e9


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, its ended children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS
