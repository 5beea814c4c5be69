"""What is done at an hour of the day, by one process of however many there are."""
