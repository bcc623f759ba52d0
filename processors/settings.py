"""The settings of the whole: the wire's and those of every role, composed into one and read once."""

from __future__ import annotations

from processors.gateway.settings import GatewaySettings
from processors.letters.settings import LetterSettings
from processors.outreach.settings import OutreachSettings
from processors.roles.settings import PlaybookSettings, RunningSettings
from processors.view.settings import ViewSettings
from streams.config import Settings as WireSettings


class Settings(
    WireSettings,
    RunningSettings,
    PlaybookSettings,
    LetterSettings,
    OutreachSettings,
    GatewaySettings,
    ViewSettings,
):
    """Everything a role or a command has to know about its environment; frozen.

    Whoever needs a part of it asks for that part: ``Links.of`` takes ``LetterSettings``, the registry's client takes
    the wire's. ``Settings.from_environment()`` raises SettingsError naming the variable.
    """
