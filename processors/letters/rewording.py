"""What journeys worded before the letters were what they are now: a request may be older than the playbook that writes
it, or than this version of Careline."""

from __future__ import annotations

from collections.abc import Mapping

from processors.journey.playbook import Playbook, worded
from processors.language import nearest
from processors.policies.registry import installed
from streams.events import OutreachRequested, replace


class Rewording:
    """Tells in which language a request is worded, and words it in another."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        """``playbook`` None: there are no whys but ours, and no gestures."""
        self._whys = {
            plugin.name: {**plugin.policy.why, **(playbook.own_whys(plugin.name) if playbook else {})}
            for plugin in installed()
        }
        self._titles = [offer.title for offer in playbook.offers()] if playbook else []

    def worded_in(self, request: OutreachRequested) -> str:
        """The tag of the language in which why and gesture are; the request's own where that cannot be told."""
        whys = self._whys.get(request.policy, {})
        if nearest(request.locale, [tag for tag, why in whys.items() if why == request.why]):
            return request.locale
        return next((tag for tag, why in whys.items() if why == request.why), request.locale)

    def into(self, request: OutreachRequested, tag: str) -> OutreachRequested:
        """The request with why and gesture in the language of ``tag``, so far as there are words for them in it."""
        whys = self._whys.get(request.policy, {})
        if nearest(tag, whys):
            request = replace(request, why=worded(whys, tag))
        gesture = request.gesture
        title = None if gesture is None else self._title(gesture.title, tag)
        if gesture is None or title is None:
            return request
        variables = {**request.variables, "gesture_title": title}
        return replace(request, gesture=replace(gesture, title=title), variables=variables)

    def _title(self, told: str, tag: str) -> str | None:
        titles: Mapping[str, str]
        for titles in self._titles:
            if told in titles.values() and nearest(tag, titles):
                return worded(titles, tag)
        return None
