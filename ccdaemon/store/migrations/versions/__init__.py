"""One file per revision of the schema. What was released is never edited."""
