"""The machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import psutil

from deploy.local import preflight


def machine() -> dict[str, str | int]:
    """Cores, memory, processor, and the versions of the programs."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30)),
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": _java(),
        "kafka": _kafka(),
    }


def _cpu() -> str:
    said = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return said[1].strip() if said else platform.machine()


def _java() -> str:
    done = subprocess.run([preflight.java_program(os.environ), "-version"], capture_output=True, text=True, check=False)
    said = re.search(r'version "([^"]+)"', done.stderr)
    return said[1] if said else "unknown"


def _kafka() -> str:
    """The broker's version, as the local stack starts it."""
    if os.environ.get("CARELINE_KAFKA_BOOTSTRAP"):
        return "given in the environment"
    pom = ElementTree.parse(preflight.HERE / "pom.xml")
    return pom.findtext(".//{*}kafka.version") or "unknown"
