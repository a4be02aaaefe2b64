"""The chat page: one chats with the bot as on Messenger, sees all that happens behind it, and breaks it on purpose."""
