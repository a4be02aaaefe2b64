"""What an operator does by hand: dead letters, a person to be forgotten, the registration with Facebook."""
