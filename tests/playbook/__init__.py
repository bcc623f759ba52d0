"""The playbook file: what may stand in it, how mistakes are told, how it is compared and watched."""
