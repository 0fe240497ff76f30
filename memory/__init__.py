"""The knowledge base and everything stored: records, catalogs, taxonomies, tables, vectors."""
