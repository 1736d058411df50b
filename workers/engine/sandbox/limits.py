"""How much one sandbox may use. Each number is bound by the kernel, by the worker that watches, or by both."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, bytes and counts. The defaults are for a step over a table of some gigabytes on a shared machine."""

    wall_s: float = 3600.0
    cpu_s: int = 4 * 3600
    """Processor time of one process; all of them together are bound by the wall time and `processes`."""
    memory: int = 4 * GIB
    """Of one process (the kernel refuses more) and of all of them together (the worker ends them)."""
    processes: int = 128
    """Processes and threads."""
    files: int = 1024
    """Open files of one process."""
    scratch: int = 8 * GIB
    """Bytes in the scratch folder, and in one file of it."""
    scratch_files: int = 50_000
    disk_left: int = GIB // 2
    """When less than this is free where the scratch folder lies, the step ends: the studio must go on."""
    output: int = 64 * MIB
    """Bytes of standard output and error together; of messages as many again."""
    message: int = 8 * MIB
    """One message: what a step gives is in files, a message only names them."""
    messages_per_s: int = 2000
    """More than this makes the step wait, not the worker."""
    grace_s: float = 0.7
    """From being told to stop to being ended: with the heartbeat within two seconds in all."""


INSPECTION = Limits(wall_s=60.0, cpu_s=10, memory=GIB, processes=16, files=128, scratch=MIB, scratch_files=100, output=MIB // 4,
                    message=MIB, messages_per_s=100, grace_s=0.1)  # fmt: skip
"""To look at source text: the import of the kit and of what the text imports at its top, and no work."""
