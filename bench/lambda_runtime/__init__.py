"""This bot, a peer's and the floor on the clients that run a function in Lambda, with stubs for AWS and Facebook."""
