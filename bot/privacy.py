"""The pages /privacy and /deletion: what the bot keeps about people, for how long, and how they have it deleted.

They need neither queue, ledger nor secret. Meta's dashboard asks an app for both addresses: "Privacy Policy URL" and
"Data deletion" under App settings, Basic ("User Data Deletion", Meta App Development, read on 2026-11-25).
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from bot.dialogue.privacy import Kept, Words
from bot.environment import PRIVACY, Environment

# Both queues keep a message for 14 days, and the ledger's records last longer than both: `bot/aws/ledger.py`.
QUEUE_DAYS, EVENT_DAYS = 14, 29
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "public, max-age=3600",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
STYLE = (
    "body{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "td,th{text-align:left;padding:.4rem 1rem .4rem 0;vertical-align:top}"
)

Json = dict[str, Any]


WORDS = {
    "en": Words(
        privacy="Privacy",
        deletion="How to have your data deleted",
        responsible="{organisation} is responsible for this Messenger bot and for the data described here.",
        kept="What is kept, where, and for how long",
        columns=("What and where", "For how long"),
        stores={
            "queue": (
                "What you send to the bot (texts, taps, links to attachments), and news for you from our own systems, "
                "each with your page-scoped id, in a queue (Amazon SQS)",
                "until it is answered, usually seconds, and {days} days at most",
            ),
            "letters": (
                "What the bot could not handle, in full, in a queue for a person to look at (Amazon SQS)",
                "until somebody has looked at it, and {days} days at most",
            ),
            "answers": (
                "The answers planned for you, and the messages that they answer, in a table (Amazon DynamoDB)",
                "until they are sent, and {days} days at most. That a message was answered stays on record for as "
                "long, without your id and without a word of it",
            ),
            "state": (
                "What the bot remembers about you, in the same table: your language, when you last wrote, how often "
                "you write, when it last told you that it is a bot, how far you are in a dialogue and what you "
                "answered in it, your name, picture and locale if the bot asks Facebook for them, and, if a human "
                "talks with you, your page-scoped id and when you and they last wrote",
                "{days} days after your last message",
            ),
            "refusals": (
                "That Facebook refused a message to you, under a part of a checksum of your id, in the same table",
                "20 minutes, and up to two days more until Amazon has deleted it",
            ),
            "log": (
                "Log lines with checksums of messages, times, counts and errors, and a checksum of your id if a human "
                "writes to you, without the id itself and without what anybody wrote (Amazon CloudWatch)",
                "{days} days",
            ),
            "access": (
                "The IP address from which somebody opens this page, in the log of requests (Amazon CloudWatch)",
                "{days} days",
            ),
            "backups": (
                "Backups of the table, made by Amazon so that it can be restored to an earlier moment (DynamoDB)",
                "{days} days after it was deleted from the table",
            ),
            "conversation": (
                "Log lines of the program that words the answers: whatever it writes there (Amazon CloudWatch)",
                "{days} days",
            ),
            "questions": (
                "Texts that the bot did not understand, as somebody wrote them, with the day and how often they came, "
                "in a table of their own (Amazon DynamoDB). Nothing there says who wrote them, so they cannot be "
                "deleted for one person",
                "{days} days, and up to two days more until Amazon has deleted it",
            ),
            "lex": (
                "Texts that the bot does not understand by itself go to Amazon Lex with your page-scoped id, and "
                "Lex keeps the session",
                "until the session ends, and {days} day at most",
            ),
        },
        remembers="The bot also remembers",
        purpose="It is used to answer you and for nothing else. It is kept with Amazon Web Services, which works for "
        "us, and given to nobody else. Facebook carries the messages.",
        ask="To have your data deleted, or to ask what is kept, turn to",
        write="Write “{phrase}” to the bot. It deletes everything at once and tells you so.",
        deleted="What the bot remembers about you, planned answers and messages that could not be handled are deleted. "
        "Logs and backups cannot be changed: they expire after the times named on the page about privacy.",
        facebook="The conversation itself stays in Messenger until you delete it there.",
    ),
    "de": Words(
        privacy="Datenschutz",
        deletion="So lassen Sie Ihre Daten löschen",
        responsible="Verantwortlich für diesen Messenger-Bot und die hier beschriebenen Daten: {organisation}.",
        kept="Was gespeichert wird, wo und wie lange",
        columns=("Was und wo", "Wie lange"),
        stores={
            "queue": (
                "Was Sie dem Bot schicken (Texte, Klicks, Links zu Anhängen), und Neuigkeiten für Sie aus unseren "
                "eigenen Systemen, jeweils mit Ihrer seitenbezogenen Kennung, in einer Warteschlange (Amazon SQS)",
                "bis es beantwortet ist, meist Sekunden, höchstens {days} Tage",
            ),
            "letters": (
                "Was der Bot nicht verarbeiten konnte, vollständig, in einer Warteschlange, die sich ein Mensch "
                "ansieht (Amazon SQS)",
                "bis es jemand angesehen hat, höchstens {days} Tage",
            ),
            "answers": (
                "Die für Sie geplanten Antworten und die Nachrichten, die sie beantworten, in einer Tabelle (Amazon "
                "DynamoDB)",
                "bis sie gesendet sind, höchstens {days} Tage. Ebenso lange bleibt vermerkt, dass eine Nachricht "
                "beantwortet wurde, ohne Ihre Kennung und ohne ein Wort daraus",
            ),
            "state": (
                "Was der Bot sich über Sie merkt, in derselben Tabelle: Ihre Sprache, wann Sie zuletzt und wie oft Sie "
                "schreiben, wann er Ihnen zuletzt gesagt hat, dass er ein Bot ist, wie weit Sie in einem Dialog sind "
                "und was Sie darin geantwortet haben, Ihr Name, Bild und Gebietsschema, falls der Bot Facebook danach "
                "fragt, und, wenn ein Mensch mit Ihnen spricht, Ihre seitenbezogene Kennung und wann Sie und er "
                "zuletzt geschrieben haben",
                "{days} Tage nach Ihrer letzten Nachricht",
            ),
            "refusals": (
                "Dass Facebook eine Nachricht an Sie abgelehnt hat, unter einem Teil einer Prüfsumme Ihrer Kennung, in "
                "derselben Tabelle",
                "20 Minuten und bis zu zwei Tage mehr, bis Amazon es gelöscht hat",
            ),
            "log": (
                "Protokollzeilen mit Prüfsummen von Nachrichten, Zeiten, Anzahlen und Fehlern, und einer Prüfsumme "
                "Ihrer Kennung, wenn ein Mensch Ihnen schreibt, ohne die Kennung selbst und ohne das, was jemand "
                "geschrieben hat (Amazon CloudWatch)",
                "{days} Tage",
            ),
            "access": (
                "Die IP-Adresse, von der jemand diese Seite aufruft, im Protokoll der Anfragen (Amazon CloudWatch)",
                "{days} Tage",
            ),
            "backups": (
                "Sicherungen der Tabelle, die Amazon macht, um einen früheren Stand wiederherstellen zu können "
                "(DynamoDB)",
                "{days} Tage, nachdem es in der Tabelle gelöscht wurde",
            ),
            "conversation": (
                "Protokollzeilen des Programms, das die Antworten formuliert: was immer es dort schreibt (Amazon "
                "CloudWatch)",
                "{days} Tage",
            ),
            "questions": (
                "Texte, die der Bot nicht verstanden hat, so wie jemand sie geschrieben hat, mit dem Tag und der "
                "Anzahl, in einer eigenen Tabelle (Amazon DynamoDB). Nichts darin sagt, von wem sie sind. Deshalb "
                "lassen sie sich nicht für eine Person löschen",
                "{days} Tage und bis zu zwei Tage mehr, bis Amazon es gelöscht hat",
            ),
            "lex": (
                "Texte, die der Bot nicht selbst versteht, gehen mit Ihrer seitenbezogenen Kennung an "
                "Amazon Lex, das die Sitzung behält",
                "bis die Sitzung endet, höchstens {days} Tag",
            ),
        },
        remembers="Der Bot merkt sich außerdem",
        purpose="Das alles dient dazu, Ihnen zu antworten, und zu nichts anderem. Es liegt bei Amazon Web Services, "
        "die für uns arbeiten, und niemand sonst bekommt es. Facebook überbringt die Nachrichten.",
        ask="Um Ihre Daten löschen zu lassen oder zu fragen, was gespeichert ist, wenden Sie sich an",
        write="Schreiben Sie dem Bot „{phrase}“. Er löscht sofort alles und sagt es Ihnen.",
        deleted="Was der Bot sich über Sie merkt, geplante Antworten und Nachrichten, die nicht verarbeitet werden "
        "konnten, werden gelöscht. Protokolle und Sicherungen lassen sich nicht ändern: Sie laufen nach den Zeiten ab, "
        "die auf der Seite zum Datenschutz stehen.",
        facebook="Das Gespräch selbst bleibt im Messenger, bis Sie es dort löschen.",
    ),
}


def periods(environment: Environment) -> dict[str, int]:
    """For how many days each store of this stack keeps what is personal. The pages name exactly these stores."""
    days = {
        "queue": QUEUE_DAYS,
        "letters": QUEUE_DAYS,
        "answers": EVENT_DAYS,
        "state": environment.state_days,
        "refusals": 2,
        "log": environment.log_days,
        "access": environment.access_log_days,
        "backups": environment.backup_days,
        "conversation": environment.log_days if environment.conversation_function else 0,
        "questions": environment.unknown_days if environment.questions_table else 0,
        # "SessionTTL": an idle session lasts for a day at most (CreateBot, Lex V2 API reference, read 2026-11).
        "lex": 1 if environment.lex_bot_id else 0,
    }
    return {name: number for name, number in days.items() if number}


def languages(spoken: tuple[str, ...], kept: Mapping[str, Kept]) -> dict[str, tuple[Words, Kept]]:
    """The languages of the pages: those of `PRIVACY` or else of the bot, if there are words; English if there are none.

    Args:
        spoken: the bot's languages, the default first.
        kept: the conversation's `PRIVACY`. A conversation that is a function of its own has no other way to say them.
    """
    nothing = Kept("")
    own = kept or dict.fromkeys(spoken, nothing)
    found = {language: (words, each) for language, each in own.items() if (words := each.words or WORDS.get(language))}
    return found or {"en": (WORDS["en"], nothing)}


def answer(page: str, environment: Environment) -> Json:
    """The proxy integration's answer to a request for a page.

    Args:
        page: `privacy` or `deletion`.
        environment: names the responsible organisation, its contact, and how long each store keeps what it holds.
    """
    from bot import conversation

    written = languages(conversation.bot.languages, getattr(conversation, "PRIVACY", {}))
    body = (_privacy if page == PRIVACY else _deletion)(environment, written)
    return {"statusCode": 200, "headers": HEADERS, "body": body}


def _privacy(environment: Environment, written: Mapping[str, tuple[Words, Kept]]) -> str:
    sections = {}
    for language, (words, kept) in written.items():
        # What an author's own words leave out is named in English.
        stores = {**WORDS["en"].stores, **words.stores}
        rows = [
            f"<tr><td>{escape(stores[name][0])}</td><td>{escape(stores[name][1].format(days=days))}</td></tr>"
            for name, days in periods(environment).items()
        ]
        heads = "".join(f"<th>{escape(each)}</th>" for each in words.columns)
        sections[language] = [
            f"<h1>{escape(words.privacy)}</h1>",
            _paragraph(words.responsible.format(organisation=environment.organisation)),
            f"<h2>{escape(words.kept)}</h2>",
            f"<table><tr>{heads}</tr>{''.join(rows)}</table>",
            _paragraph(f"{words.remembers} {kept.remembers}.") if kept.remembers else "",
            _paragraph(words.purpose),
            f"<h2>{escape(words.deletion)}</h2>",
            *_ways(environment, words, kept),
        ]
    return _page(next(iter(written.values()))[0].privacy, sections)


def _deletion(environment: Environment, written: Mapping[str, tuple[Words, Kept]]) -> str:
    sections = {
        language: [
            f"<h1>{escape(words.deletion)}</h1>",
            _paragraph(words.responsible.format(organisation=environment.organisation)),
            *_ways(environment, words, kept),
        ]
        for language, (words, kept) in written.items()
    }
    return _page(next(iter(written.values()))[0].deletion, sections)


def _ways(environment: Environment, words: Words, kept: Kept) -> list[str]:
    contact = environment.privacy_contact
    link = contact if contact.startswith("https://") else f"mailto:{contact}"
    return [
        _paragraph(words.write.format(phrase=kept.phrase)) if kept.phrase else "",
        f'<p>{escape(words.ask)} <a href="{escape(link)}">{escape(contact)}</a>.</p>',
        _paragraph(words.deleted),
        _paragraph(words.facebook),
    ]


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _page(title: str, sections: Mapping[str, list[str]]) -> str:
    first = next(iter(sections))
    links = " · ".join(f'<a href="#{language}" lang="{language}">{language}</a>' for language in sections)
    parts = [
        f'<section id="{language}" lang="{language}">{"".join(each)}</section>' for language, each in sections.items()
    ]
    return (
        f'<!doctype html><html lang="{first}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"{f'<nav>{links}</nav>' if len(sections) > 1 else ''}{'<hr>'.join(parts)}</body></html>"
    )
