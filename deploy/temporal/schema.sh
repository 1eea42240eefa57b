#!/bin/sh
# Makes Temporal's two databases or brings them to the schema of this version. It may run again at any time.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres-password)
export SQL_PASSWORD
tool() { temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal "$@"; }
for db in temporal temporal_visibility; do
	tool --db "$db" create
	tool --db "$db" setup-schema -v 0.0 # leaves a newer version as it is
	tool --db "$db" update-schema --schema-name "postgresql/v12/${db#temporal_}"
done
