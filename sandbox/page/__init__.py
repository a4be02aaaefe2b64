"""The chat page: chat with the bot as on Messenger, see everything that happens behind it, and break it on purpose."""
