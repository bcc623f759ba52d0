"""The local stack: real servers on loopback, run as programs on this machine.

with running_stack(Path(".careline")) as stack:
    environment = stack.environment()
"""

from deploy.local.errors import StackError
from deploy.local.preflight import MissingError
from deploy.local.running import running_stack, stack_environment
from deploy.local.stack import Stack
from deploy.local.status import PartStatus, State, Status

__all__ = [
    "MissingError",
    "PartStatus",
    "Stack",
    "StackError",
    "State",
    "Status",
    "running_stack",
    "stack_environment",
]
