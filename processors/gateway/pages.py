"""The pages behind the unsubscribe link: small, plain, in the letter's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from processors.language import LAST_RESORT, nearest
from processors.letters.unsubscribe_links import Unsubscription
from streams.events import OutreachChannel, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    ask: str
    ask_offers: str
    button: str
    done: str
    done_offers: str
    by: Mapping[OutreachChannel, str]
    broken: str
    later: str


_WORDS = {
    "en": _Words(
        ask="Shall we stop writing to you{by}?",
        ask_offers="Shall we stop sending you offers{by}?",
        button="Yes, unsubscribe",
        done="Done. We will not write to you{by} any more.",
        done_offers="Done. We will not send you offers{by} any more.",
        by={OutreachChannel.EMAIL: " by e-mail", OutreachChannel.SMS: " by SMS"},
        broken="This link is not whole. Please open it again from our message, or reply to the message.",
        later="This did not work just now, and nothing was changed. Please try again in a few minutes.",
    ),
    "de": _Words(
        ask="Sollen wir Ihnen{by} nicht mehr schreiben?",
        ask_offers="Sollen wir Ihnen{by} keine Angebote mehr senden?",
        button="Ja, abbestellen",
        done="Erledigt. Wir schreiben Ihnen{by} nicht mehr.",
        done_offers="Erledigt. Wir senden Ihnen{by} keine Angebote mehr.",
        by={OutreachChannel.EMAIL: " per E-Mail", OutreachChannel.SMS: " per SMS"},
        broken="Dieser Link ist nicht vollständig. Bitte öffnen Sie ihn noch einmal aus unserer Nachricht.",
        later="Das hat gerade nicht geklappt, und es ist alles wie zuvor. Bitte versuchen Sie es gleich noch einmal.",
    ),
    "es": _Words(
        ask="¿Quiere que dejemos de escribirle{by}?",
        ask_offers="¿Quiere que dejemos de enviarle ofertas{by}?",
        button="Sí, darme de baja",
        done="Hecho. Ya no le escribiremos{by}.",
        done_offers="Hecho. Ya no le enviaremos ofertas{by}.",
        by={OutreachChannel.EMAIL: " por correo electrónico", OutreachChannel.SMS: " por SMS"},
        broken="Este enlace no está completo. Ábralo de nuevo desde nuestro mensaje, por favor.",
        later="Ahora mismo no ha funcionado y no ha cambiado nada. Inténtelo de nuevo en unos minutos, por favor.",
    ),
    "pt": _Words(
        ask="Quer que deixemos de lhe escrever{by}?",
        ask_offers="Quer que deixemos de lhe enviar ofertas{by}?",
        button="Sim, cancelar",
        done="Pronto. Não vamos mais lhe escrever{by}.",
        done_offers="Pronto. Não vamos mais lhe enviar ofertas{by}.",
        by={OutreachChannel.EMAIL: " por e-mail", OutreachChannel.SMS: " por SMS"},
        broken="Este link não está completo. Por favor, abra-o de novo a partir da nossa mensagem.",
        later="Não deu certo agora, e nada mudou. Por favor, tente de novo em alguns minutos.",
    ),
    "fr": _Words(
        ask="Souhaitez-vous que nous cessions de vous écrire{by}\xa0?",
        ask_offers="Souhaitez-vous que nous cessions de vous envoyer des offres{by}\xa0?",
        button="Oui, me désinscrire",
        done="C’est fait. Nous ne vous écrirons plus{by}.",
        done_offers="C’est fait. Nous ne vous enverrons plus d’offres{by}.",
        by={OutreachChannel.EMAIL: " par e-mail", OutreachChannel.SMS: " par SMS"},
        broken="Ce lien n’est pas complet. Rouvrez-le depuis notre message, s’il vous plaît.",
        later="Cela n’a pas fonctionné, et rien n’a changé. Veuillez réessayer dans quelques minutes.",
    ),
}

_LONGEST_TAG = 35  # characters; RFC 5646, 4.4.1. Longer tags take long to look up

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{text}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 32em; margin: 15vh auto; padding: 0 24px; font: 18px/1.5 system-ui, sans-serif; }}
button {{ padding: 12px 22px; border: 0; border-radius: 999px; background: #1f4f46; color: #fff; font: inherit; }}
</style>
</head>
<body>
<p>{text}</p>
{form}</body>
</html>
"""


def asking(link: Unsubscription) -> str:
    """The page with the button; nothing has changed yet."""
    language, words = _words(link.locale)
    text = words.ask_offers if link.purpose is Purpose.MARKETING else words.ask
    # posts to its own address with the field of RFC 8058, so that a person and a mail program send the same request
    form = (
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f"<button>{escape(words.button)}</button></form>\n"
    )
    return _page(language, text.format(by=words.by.get(link.channel, "")), form)


def done(link: Unsubscription) -> str:
    """The page after a successful unsubscribe request."""
    language, words = _words(link.locale)
    text = words.done_offers if link.purpose is Purpose.MARKETING else words.done
    return _page(language, text.format(by=words.by.get(link.channel, "")))


def later(link: Unsubscription) -> str:
    """The page if the request could not be stored now."""
    language, words = _words(link.locale)
    return _page(language, words.later)


def broken(wanted: str) -> str:
    """The page for an invalid link. ``wanted``: the browser's Accept-Language, because nothing else is known."""
    language, words = _words(wanted[:_LONGEST_TAG].split(",")[0].split(";")[0].strip())
    return _page(language, words.broken)


def _words(locale: str) -> tuple[str, _Words]:
    language = nearest(locale, _WORDS) or LAST_RESORT
    return language, _WORDS[language]


def _page(language: str, text: str, form: str = "") -> str:
    return _PAGE.format(language=language, text=escape(text), form=form)
