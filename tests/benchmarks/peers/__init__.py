"""The programs that the journeys role is compared with. They are run as scripts and know nothing of the project."""
