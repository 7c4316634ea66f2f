"""Looking at decoded events: who may become a row, which rules rows break, which come out of order."""
