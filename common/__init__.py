"""Ground for all rooms: files, errors, the command group, progress, fingerprints, isolated workers. Imports nothing of
ours."""
