"""The templates for news outside the messaging window.

`python -m ops templates` creates them, and shows whether Facebook approved them.
"""

from bot.messenger.messages import Tap
from bot.messenger.news import UtilityTemplate, Wording
from bot.messenger.record import Record


class Moved(Record):
    """What `MOVED` says of a parcel: its number, and the step that it reached."""

    number: str
    step: str


MOVED = UtilityTemplate(
    "parcel_moved",
    {
        "en": Wording(
            "There is news of your parcel {{number}}: {{step}}. You asked us to tell you.",
            Moved("12345678", "delivered"),
            (Tap("Where is it?", "TRACK:{{number}}"),),
        ),
        "de": Wording(
            "Es gibt Neues von Ihrem Paket {{number}}: {{step}}. Sie wollten, dass wir uns melden.",
            Moved("12345678", "zugestellt"),
            (Tap("Wo ist es?", "TRACK:{{number}}"),),
        ),
    },
)

TEMPLATES = (MOVED,)
