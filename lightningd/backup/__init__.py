"""Getting funds back when the database is lost: static channel backups, peers' storage, the secret from words."""
