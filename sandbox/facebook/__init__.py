"""Facebook: a stand-in for the Graph API, the sender of webhooks, and a stand-in for Lex."""
