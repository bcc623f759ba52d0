"""The test kit imports the core, the playbook and the letters, and no client of a server."""

from __future__ import annotations

import subprocess
import sys

CLIENTS = {"aiohttp", "aiokafka", "aiosmtplib", "apprise", "faust", "httpx", "redis"}


def test_no_client_of_a_server_is_imported() -> None:
    """Importing the kit loads no client library."""
    program = "import sys, processors.testing; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()
    assert "processors" in loaded
    assert CLIENTS & set(loaded) == set()
