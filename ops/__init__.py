"""What an operator does by hand: handle dead letters, forget a person, send news, register, adopt another system."""
