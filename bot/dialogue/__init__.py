"""The conversation engine: rules, dialogues, middleware, Lex. It knows nothing about what a bot says."""
