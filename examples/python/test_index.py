"""The bot, as a chat with one person."""

from contract import Event, Session, State
from index import handler


class Chat:
    """Keeps state and language, as the bot's worker does."""

    def __init__(self, locale: str = "") -> None:
        self.state: State = {}
        self.language, self.locale = "", locale

    def sends(self, event: Event) -> list[str]:
        session: Session = {"language": self.language, "windowOpenUntil": 0, "human": False}
        reply = handler(
            {"version": 1, "event": event, "state": self.state, "session": session, "now": 0, "locale": self.locale},
            None,
        )
        self.state = reply.get("state", self.state)
        self.language = reply.get("language", self.language)
        return [each if isinstance(each, str) else each["text"] for each in reply.get("messages", [])]

    def says(self, text: str) -> list[str]:
        return self.sends({"kind": "text", "text": text})


def test_the_number_of_a_parcel_gets_its_four_steps() -> None:
    chat = Chat()
    assert chat.says("12345676") == [
        "Parcel 12345676: announced\n📍 announced\n⬜ in transit\n⬜ out for delivery\n⬜ delivered"
    ]
    assert chat.says("12345679") == [
        "Parcel 12345679: delivered\n✅ announced\n✅ in transit\n✅ out for delivery\n📍 delivered"
    ]


def test_the_question_for_a_number_is_asked_until_it_is_answered() -> None:
    chat = Chat()
    assert chat.says("Status") == ["Which parcel? Please send me its 8-digit number."]
    assert chat.says("the blue one") == ["A parcel's number has 8 digits. Please send it again."]
    assert chat.says("12345677")[0].startswith("Parcel 12345677: in transit")
    assert chat.says("the blue one")[0].startswith("Send me the 8-digit number")


def test_the_last_parcel_is_remembered() -> None:
    chat = Chat()
    first = chat.says("12345677")
    assert chat.sends({"kind": "quick_reply", "payload": "STATUS"}) == first


def test_a_german_greeting_changes_the_language_and_it_stays() -> None:
    chat = Chat()
    assert chat.says(" Hallo ")[0].startswith("Hallo! Ich bin ein Bot")
    assert chat.says("12345678")[0].startswith("Paket 12345678: in Zustellung")
    assert chat.says("hello")[0].startswith("Hello! I am a bot")


def test_the_locale_decides_until_somebody_greets() -> None:
    assert Chat("de_DE").says("?")[0].startswith("Schicken Sie mir")
    assert Chat("fr_FR").says("?")[0].startswith("Send me")


def test_anything_but_words_and_taps_is_met_with_silence() -> None:
    assert Chat().sends({"kind": "reaction"}) == []
