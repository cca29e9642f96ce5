"""What a query asks for, and whether an item is that (RFC 4791 section 9.7, RFC 6352 section 10.5)."""
