"""GET, PUT and DELETE of items, and the conditions that requests put on them."""
