"""How stored knowledge bases follow the tables: numbered Alembic revisions."""
