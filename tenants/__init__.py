"""The towns: their registry, schemas, hosts, databases and lives."""
