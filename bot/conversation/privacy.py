"""What the pages about privacy say of this bot: see bot/privacy.py for the rest of their words."""

from bot.dialogue.privacy import Kept

PRIVACY = {
    "en": Kept(
        remembers="the number of the parcel that you last asked about, that of the parcel whose changes you want to "
        "hear about, and your consent to such messages",
        phrase="delete my data",
    ),
    "de": Kept(
        remembers="die Nummer des Pakets, nach dem Sie zuletzt gefragt haben, die des Pakets, über dessen Änderungen "
        "Sie hören möchten, und Ihre Zustimmung zu solchen Nachrichten",
        phrase="lösche meine Daten",
    ),
}
