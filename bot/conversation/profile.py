"""The bot's Messenger profile: what users see before they write."""

from bot.messenger.profile import IceBreaker, MenuItem, Profile

PROFILE = Profile(
    get_started="START",
    greeting={
        "default": "Where is your parcel, {{user_first_name}}? I am a bot and look it up for you.",
        "de_DE": "Wo ist Ihr Paket, {{user_first_name}}? Ich bin ein Bot und sehe für Sie nach.",
    },
    menu={
        "default": (MenuItem("Where is my parcel?", "STATUS"), MenuItem("Help", "HELP"), MenuItem("A human", "HUMAN")),
        "de_DE": (MenuItem("Wo ist mein Paket?", "STATUS"), MenuItem("Hilfe", "HELP"), MenuItem("Ein Mensch", "HUMAN")),
    },
    ice_breakers={
        "default": (IceBreaker("Where is my parcel?", "STATUS"), IceBreaker("What can you do?", "HELP")),
        "de_DE": (IceBreaker("Wo ist mein Paket?", "STATUS"), IceBreaker("Was können Sie?", "HELP")),
    },
)
