"""Issues as the desk works on them: changes that fold into tickets, clocks that run on them, and who gets them."""
